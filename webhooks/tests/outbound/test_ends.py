"""A subscription ends with a 410, or when nothing arrived for days; its maker and the owners are told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from automation.models import EventWish, NoticeDelivery
from automation.services import notice_letters, notice_sending
from automation.tests.notices.conftest import inbox as inbox
from brainops.accounts.models import Role
from brainops.audit.models import AuditEntry
from brainops.core import clock
from webhooks.models import OutboundDelivery, Subscription
from webhooks.services import outbound_acts, outbound_figures, subscriptions
from webhooks.tests import make
from webhooks.tests.outbound.receiver import Answer
from webhooks.tests.outbound.rows import pass_time, publish, put, send_all, subscribe

pytestmark = pytest.mark.django_db


def stands(subscription: Subscription) -> tuple[bool, str]:
    subscription.refresh_from_db()
    return subscription.is_active, subscription.off_reason


def test_a_receiver_that_is_gone_is_sent_nothing_more_at_once(home, receiver):
    receiver.usual = Answer(410, body=b"closed")
    subscription = subscribe(home, receiver.url)
    first, second = put(subscription), put(subscription, next_at=clock.now() + timedelta(minutes=1))

    send_all()

    first.refresh_from_db()
    second.refresh_from_db()
    assert stands(subscription) == (False, "gone")
    assert (first.state, first.last_error) == ("failed", "The receiver answered 410: closed")
    assert (second.state, second.last_error) == (
        "dropped",
        "The subscription was switched off: the receiver answered 410.",
    )
    assert not EventWish.objects.exists()
    publish(home)
    assert OutboundDelivery.objects.count() == 2
    entry = AuditEntry.objects.get(action="subscription.disable")
    assert (entry.actor_kind, entry.target_id) == ("system", str(subscription.id))


def give_up(subscription: Subscription, *, failing: timedelta) -> None:
    """A delivery that has its last try while the subscription has been failing for so long."""
    since = clock.now() - failing if failing else None
    Subscription.objects.filter(id=subscription.id).update(failing_since=since, failures=1 if failing else 0)
    put(subscription, ends_at=clock.now() - timedelta(seconds=1))
    assert send_all() == 1


def test_it_ends_when_a_delivery_is_given_up_and_nothing_arrived_for_three_days(home, receiver):
    receiver.usual = Answer(500)
    subscription = subscribe(home, receiver.url)

    give_up(subscription, failing=timedelta(days=2, hours=23))
    assert stands(subscription) == (True, "")
    give_up(subscription, failing=timedelta(days=3, minutes=1))

    assert stands(subscription) == (False, "failing")


def test_one_that_arrives_begins_the_three_days_anew(home, receiver):
    subscription = subscribe(home, receiver.url)
    Subscription.objects.update(failing_since=clock.now() - timedelta(days=5), failures=9)
    put(subscription)
    send_all()

    receiver.usual = Answer(500)
    give_up(subscription, failing=timedelta())

    assert stands(subscription) == (True, "")


def test_its_maker_and_the_owners_get_a_mail_that_says_why_and_leads_there(home, receiver, inbox):
    maker, owner = make.person(home, Role.BUILDER), make.person(home)
    make.person(home, Role.ADMIN)
    make.person(make.workspace())
    receiver.usual = Answer(410, body=b"closed <b>for good</b>")
    named = {"description": "Status page", "created_by": maker}
    subscription = subscribe(home, f"{receiver.url}?key=in-the-query", **named)
    put(subscription)

    send_all()
    while notice_sending.send_next():
        pass

    assert sorted(letter["To"] for letter in inbox.letters) == sorted([maker.email, owner.email])
    letter = inbox.letters[0]
    parts = {part.get_content_type(): part.get_content().replace("\r\n", "\n") for part in letter.iter_parts()}
    said = "“Status page” is no longer sent events: the receiver answered 410"
    assert letter["Subject"].strip() == f"[{home.name}] {said}"
    assert parts["text/plain"] == (
        f"{said}.\n\nWorkspace: {home.name}\nReceiver: http://{receiver.address}\n\n"
        "> The receiver answered 410: closed <b>for good</b>\n\nOpen the subscription:\n"
        f"http://testserver/admin/webhooks/subscription/{subscription.id}/\n\n"
        f"-- \nYou get this because you made the subscription or own the workspace {home.name}.\n"
    )
    assert "<b>for good" not in parts["text/html"]
    assert "in-the-query" not in str(letter)


def test_a_maker_who_has_left_gets_no_mail(home, receiver, inbox):
    owner, gone = make.person(home), make.person()
    receiver.usual = Answer(410)
    put(subscribe(home, receiver.url, created_by=gone))

    send_all()

    assert [row.address for row in NoticeDelivery.objects.all()] == [owner.email]
    assert notice_letters.headline_of(NoticeDelivery.objects.get().content).startswith("“http://127.0.0.1")


def test_without_a_mail_server_nobody_is_told_and_it_ends_all_the_same(home, receiver, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    make.person(home)
    receiver.usual = Answer(410)
    subscription = subscribe(home, receiver.url)
    put(subscription)

    send_all()

    assert (stands(subscription), NoticeDelivery.objects.count()) == ((False, "gone"), 0)


def test_switched_on_again_it_begins_anew_and_what_was_called_off_can_be_sent(home, receiver):
    owner = make.caller(make.person(home), home)
    receiver.answers = [Answer(410)]
    subscription = subscribe(home, receiver.url)
    put(subscription)
    put(subscription, next_at=clock.now() + timedelta(minutes=1))
    send_all()
    before = clock.now() - timedelta(hours=1)

    subscriptions.change(owner, subscription.id, {"is_active": True})
    done = outbound_acts.replay(owner, subscription.id, since=before, per_minute=6_000)
    pass_time(seconds=1)
    send_all()

    assert (stands(subscription), done.count) == ((True, ""), 2)
    assert set(OutboundDelivery.objects.values_list("state", flat=True)) == {"sent"}
    assert (subscription.failures, subscription.failing_since) == (0, None)


def test_a_test_that_meets_a_410_ends_nothing(home, receiver):
    owner = make.caller(make.person(home), home)
    receiver.usual = Answer(410)
    subscription = subscribe(home, receiver.url)

    made = outbound_acts.test(owner, subscription.id)

    assert (made.state, made.is_test, stands(subscription)) == ("failed", True, (True, ""))


def test_what_operators_see_of_it(home, receiver):
    receiver.usual = Answer(500)
    failing = subscribe(home, receiver.url)
    subscribe(home, receiver.url)
    subscribe(home, receiver.url, is_active=False, off_reason="gone")
    subscribe(home, receiver.url, is_active=False, off_reason="person")
    put(failing)
    send_all()
    put(failing, next_at=clock.now() - timedelta(hours=1))

    *states, late = outbound_figures.samples()

    assert {one.labels["state"]: one.value for one in states} == {"well": 1, "failing": 1, "ended": 1}
    assert late.value >= 3600
