"""A mailbox whose server tells of new mails is looked at at once."""

import threading

import pytest
from django.db.models.functions import Now

from automation.models import Source
from automation.services import sources
from automation.services.listeners import wanted
from automation.triggers.contract import SourceError
from tests.live import wait_until
from webhooks.mail.tests.cases import letter
from webhooks.mail.tests.rows import source_of, subjects, watch

pytestmark = pytest.mark.django_db(transaction=True)


def is_due(trigger):
    return Source.objects.filter(trigger=trigger, next_at__lte=Now()).exists()


def look_when_due(trigger):
    wait_until(lambda: is_due(trigger))
    sources.look(sources.claim())


def listener_of(trigger):
    return wanted()[f"mailbox:{trigger.id}"]


def test_a_mail_is_found_as_soon_as_the_server_tells_of_it(user):
    trigger = watch(user, idle=True, every="1d")
    stop = threading.Event()
    thread = threading.Thread(target=listener_of(trigger).listen, args=(stop,))
    thread.start()

    look_when_due(trigger)  # what came before
    wait_until(lambda: source_of(trigger).last_polled_at is not None)
    user.deliver(letter(1))
    wait_until(lambda: is_due(trigger) or subjects(trigger))
    look_when_due(trigger)

    stop.set()
    thread.join(60)
    assert not thread.is_alive()
    assert subjects(trigger) == ["Letter 1"]


def test_only_mailboxes_that_ask_for_it_are_listened_to(user):
    quiet, loud = watch(user), watch(user, idle=True)

    keys = wanted()

    assert f"mailbox:{loud.id}" in keys
    assert f"mailbox:{quiet.id}" not in keys


def test_a_server_that_is_away_is_tried_again_by_the_consumer(user, imap_server):
    trigger = watch(user, idle=True)
    imap_server.stop()

    try:
        with pytest.raises(SourceError, match="Connection refused"):
            listener_of(trigger).listen(threading.Event())
    finally:
        imap_server.start()
