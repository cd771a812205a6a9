"""Triggers that listen to a test's broker, and ways to listen for a while."""

from __future__ import annotations

import threading
from contextlib import contextmanager

from django.db import connections

from automation.models import Arrival, Run, Secret, Source
from automation.services import streams
from automation.tests.arrivals.rows import make_trigger
from automation.tests.streams.brokers import PASSWORD
from automation.tests.triggers.rows import make_workspace
from automation.triggers import all_trigger_kinds
from tests.live import wait_until


def make_listener(broker, *, definition=None, **config):
    """A trigger as it is stored, for the broker's source. Its password is a secret of the workspace."""
    Secret.objects.get_or_create(workspace=make_workspace(), name="broker", defaults={"value": PASSWORD})
    given = {**broker.config(), **config}
    stored = all_trigger_kinds()[broker.kind].complete(given)
    fields = {"definition": definition} if definition else {}
    return make_trigger(kind=broker.kind, config=dict(stored), **fields)


@contextmanager
def listening(trigger):
    """Listen in a thread; an error of the broker ends it and is raised at the end."""
    stop, errors = threading.Event(), []

    def listen():
        try:
            streams.listen(trigger.id, stop)
        except BaseException as error:  # noqa: BLE001 - it is raised below
            errors.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    _under_way[trigger.id] = errors
    try:
        yield thread
    finally:
        stop.set()
        thread.join(60)
        assert not thread.is_alive()
    if errors:
        raise errors[0]


_under_way: dict = {}  # errors of whoever listens, by trigger


def _until(trigger, condition):
    def is_so():
        if errors := _under_way.get(trigger.id):
            raise errors[0]
        return condition()

    wait_until(is_so)


def wait_until_joined(trigger):
    """Until the broker knows that somebody listens."""
    _until(trigger, lambda: Source.objects.filter(trigger=trigger, last_polled_at__isnull=False).exists())


def wait_for_runs(trigger, count):
    _until(trigger, lambda: Run.objects.filter(trigger_id=trigger.id).count() >= count)


def wait_for_arrivals(trigger, count):
    _until(trigger, lambda: Arrival.objects.filter(trigger=trigger).count() >= count)


def seen_by_runs(trigger):
    """`trigger` as each run saw it, oldest first."""
    rows = Run.objects.filter(trigger_id=trigger.id).order_by("id").select_related("data")
    return [run.data.input["trigger"] for run in rows]


def items_of(trigger):
    return [seen["item"] for seen in seen_by_runs(trigger)]
