"""Nothing is lost and nothing comes twice: at once, in any order of commits, and when somebody dies in the middle."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
import pytest
from django.db import connection, connections
from hypothesis import HealthCheck, given
from hypothesis import settings as depth_of
from hypothesis import strategies as st

from automation.engine import points
from automation.models import Event, EventDelivery, Run
from automation.services import event_listeners, events, triggers
from automation.services.event_deliveries import deliver_some
from automation.services.event_dispatch import dispatch_some
from automation.services.event_listeners import Listener, want
from automation.store import events as store
from automation.tests.events.rows import items_of, listen, publish, queued, said, settle
from automation.tests.property.profiles import depth
from automation.tests.runtime.held import Crash
from automation.tests.threads import beside_each_other
from brainops.accounts.caller import Caller, system_caller
from brainops.accounts.models import Role

pytestmark = pytest.mark.django_db(transaction=True)


def sender_of(workspace: Any) -> Caller:
    return Caller(user_id=None, label="shop", via="api_key", workspace_id=workspace.id, role=Role.OPERATOR)


@pytest.fixture
def dies_at(monkeypatch):
    def set_hook(name):
        def hook(point):
            if point == name:
                raise Crash(name)

        monkeypatch.setattr(points, "hook", hook)

    return set_hook


@pytest.fixture
def ear(monkeypatch):
    """What a listener was told, in its order."""
    told: list[Any] = []
    known = {"ear": Listener(take=lambda _cursor, batch: told.extend(one.event.event.data for one in batch))}
    monkeypatch.setattr(event_listeners.listeners, "_providers", known)
    return told


def test_twenty_copies_of_an_event_at_once_are_one_event_and_one_run():
    trigger = listen()
    copy = said(id="a1", data={"id": 7})
    together = threading.Barrier(20)
    taken = []

    def send():
        together.wait(30)
        taken.extend(events.send(sender_of(trigger.workspace), [copy]))

    beside_each_other(*[send] * 20)
    settle()

    assert sorted(one.is_new for one in taken) == [False] * 19 + [True]
    assert (len({one.row.id for one in taken}), Event.objects.count(), items_of(trigger)) == (1, 1, [{"id": 7}])


def test_batches_of_the_same_events_in_other_orders_never_wait_in_a_circle():
    trigger = listen()
    copies = [said(id=str(number), data=number) for number in range(30)]
    together = threading.Barrier(6)

    def send(batch):
        together.wait(30)
        events.send(sender_of(trigger.workspace), batch)

    beside_each_other(*[lambda batch=batch: send(batch) for batch in [copies, copies[::-1]] * 3])
    settle()

    assert Event.objects.count() == 30
    assert sorted(items_of(trigger)) == [*range(30)]


def test_two_dispatchers_tell_and_deliver_everything_once():
    trigger = listen()
    last = threading.Event()

    def publish_many(first):
        for number in range(first, first + 40):
            publish(trigger.workspace, said(data=number))

    def work():
        while not last.is_set() or queued() or EventDelivery.objects.filter(state="pending").exists():
            dispatch_some()
            deliver_some()

    def publish_all():
        beside_each_other(*[lambda first=first: publish_many(first) for first in (0, 100, 200)])
        last.set()

    beside_each_other(publish_all, *[work] * 3)

    seen = items_of(trigger)
    assert sorted(seen) == sorted([*range(40), *range(100, 140), *range(200, 240)])
    for first in (0, 100, 200):  # each publisher's in its order
        assert [one for one in seen if first <= one < first + 40] == [*range(first, first + 40)]


def test_what_commits_late_is_not_passed_over(ear):
    trigger = listen()
    want("ear", trigger.id, workspace_id=trigger.workspace_id, types=["order.*"])
    with second_connection() as slow, slow.cursor() as cursor:
        store.publish(cursor, trigger.workspace_id, said(data="slow"))  # takes its place in the queue, and dawdles
        publish(trigger.workspace, said(data="quick"))
        assert dispatch_some() == 1
        slow.commit()

    settle()

    assert ear == ["quick", "slow"]


@pytest.mark.parametrize("point", ["in_event_dispatch", "in_take", "in_event_delivery"])
def test_who_dies_in_the_middle_leaves_all_of_it_to_the_next(dies_at, monkeypatch, point):
    trigger = listen()
    publish(trigger.workspace, said(data=1))
    dies_at(point)

    with pytest.raises(Crash):
        settle()

    assert Run.objects.count() == 0
    monkeypatch.undo()
    settle()
    assert (items_of(trigger), queued()) == ([1], 0)


def test_a_trigger_may_be_deleted_while_events_are_brought_to_it():
    trigger = listen()
    for number in range(5):
        publish(trigger.workspace, said(data=number))
    dispatch_some()

    def delete():
        triggers.delete(system_caller(trigger.workspace_id, "test"), trigger.id)
        connections.close_all()

    gone = threading.Thread(target=delete)

    def hook(point):
        if point == "in_event_delivery":
            points.hook = None
            gone.start()
            time.sleep(0.2)  # it waits for the delivery

    points.hook = hook
    try:
        deliver_some()
    finally:
        points.hook = None
    gone.join(30)
    settle()

    assert (Run.objects.count(), EventDelivery.objects.count()) == (5, 0)


@contextmanager
def second_connection() -> Iterator[Any]:
    raw = psycopg2.connect(**connection.get_connection_params())
    try:
        yield raw
    finally:
        raw.close()


# What three publishers do, one step after the other: say something, commit, take back; in between somebody dispatches.
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["say", "say", "commit", "forget"]), st.integers(0, 2)),
        st.tuples(st.just("dispatch"), st.just(0)),
    ),
    max_size=40,
)


@depth_of(depth(quick=25, slow=400), suppress_health_check=[*HealthCheck])
@given(steps=STEPS)
def test_no_order_of_commits_loses_or_doubles_an_event(ear, steps):
    trigger = listen()
    want("ear", trigger.id, workspace_id=trigger.workspace_id, types=["order.*"])
    ear.clear()
    opened = [psycopg2.connect(**connection.get_connection_params()) for _ in range(3)]
    held: list[list[tuple[int, int]]] = [[], [], []]
    kept: list[tuple[int, int]] = []
    try:
        for number, (act, who) in enumerate([*steps, *[("commit", who) for who in range(3)]]):
            if act == "dispatch":
                dispatch_some()
            elif act == "say":
                with opened[who].cursor() as cursor:
                    store.publish(cursor, trigger.workspace_id, said(data=[who, number]))
                held[who].append((who, number))
            elif act == "commit":
                opened[who].commit()
                kept += held[who]
                held[who] = []
            else:
                opened[who].rollback()
                held[who] = []
        while dispatch_some():
            pass
    finally:
        for one in opened:
            one.close()

    heard = [tuple(one) for one in ear]
    assert sorted(heard) == sorted(kept)
    for who in range(3):  # each publisher's in its order
        assert [one for one in heard if one[0] == who] == [one for one in kept if one[0] == who]
