"""Events between real workers: rung by bells, told once, whoever is killed."""

from __future__ import annotations

import signal

import pytest

from automation.models import EventDelivery, Run
from automation.services import events
from automation.tests.events.rows import items_of, listen, publish, said
from brainops.accounts.caller import system_caller
from tests.live import wait_until

pytestmark = pytest.mark.processes

RELAY = {
    "schema": 1,
    "steps": [
        {"id": "on", "uses": "emit_event", "with": {"name": "relay.done", "payload": "{{ trigger.item }}"}},
    ],
}


def ring_in(workspace, event):
    """As POST /events does: the bell rings after the commit."""
    events.send(system_caller(workspace.id, "tests"), [event])


def test_an_event_goes_through_two_workflows_long_before_the_next_tick(workers):
    first, second = listen("relay.start", definition=RELAY), listen("relay.done")
    ended = listen("brainops.run.succeeded", data={"workflow_id": [str(first.workflow_id)]})
    workers.start(1, BRAINOPS_TICK_SECONDS="60")  # its first tick is over when it breathes

    ring_in(first.workspace, said("relay.start", {"id": 7}, id="1"))

    wait_until(lambda: items_of(second) == [{"id": 7}] and len(items_of(ended)) == 1, seconds=30)
    assert items_of(first) == [{"id": 7}]


def test_events_are_told_once_when_workers_are_killed_over_them(workers):
    relay, last = listen("relay.start", definition=RELAY), listen("relay.done")
    workers.start(2)
    for number in range(40):
        publish(relay.workspace, said("relay.start", number))
    wait_until(Run.objects.exists)
    workers.processes[0].send_signal(signal.SIGKILL)
    for number in range(40, 80):
        publish(relay.workspace, said("relay.start", number))
    workers.start(1)

    wait_until(lambda: len(items_of(last)) >= 80, seconds=90)
    wait_until(lambda: not EventDelivery.objects.filter(state="pending").exists())
    assert (sorted(items_of(relay)), sorted(items_of(last))) == ([*range(80)], [*range(80)])
    assert set(EventDelivery.objects.values_list("state", flat=True)) == {"ran"}
