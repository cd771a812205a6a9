"""Clocks that jump: the database's clock is what counts, each slot is decided once, and none is forgotten."""

from datetime import UTC, datetime, timedelta

import pytest

from automation.models import Firing, Run, Trigger
from automation.services import triggers
from automation.services.schedules import fire_due
from automation.tests.moved_clock import set_clock
from automation.tests.triggers.rows import make_schedule, make_workflow
from brainops.accounts.caller import system_caller

pytestmark = pytest.mark.django_db

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
EVERY_TEN = {"cron": "*/10 * * * *", "timezone": "UTC", "missed": "all"}
BEGAN = datetime(2026, 11, 24, 9, 3, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _a_time_far_from_any_slot():
    set_clock(BEGAN)


def jump(by):
    """Let the clock show a time so much after the beginning."""
    set_clock(BEGAN + by)


def slots(trigger, decision=1):
    return list(
        Firing.objects.filter(trigger=trigger, decision=decision).order_by("slot").values_list("slot", flat=True)
    )


def saved(config, **values):
    """A schedule saved as people do."""
    workflow = make_workflow()
    caller = system_caller(workflow.workspace_id, "tests")
    made = triggers.create(caller, workflow_id=workflow.id, kind="schedule", config=config, **values).trigger
    return caller, made


def between(first, last):
    """Each ten minutes of a time."""
    start = first.replace(minute=first.minute // 10 * 10, second=0, microsecond=0) + 10 * MINUTE
    count = (last - start) // (10 * MINUTE) + 1
    return [start + number * 10 * MINUTE for number in range(count)]


@pytest.mark.parametrize(
    "jumps",
    [
        [3, 0, 4],  # forward, back to the right time, on
        [-3, 0, 1],  # back first
        [1, -2, 2, -1, 3],
        [0.5, 0.4, 0.6, 0.5, 0.75],
    ],
    ids=str,
)
def test_whatever_the_clock_does_each_slot_runs_once(jumps):
    _, trigger = saved(EVERY_TEN)

    for hours in jumps:
        jump(hours * HOUR)
        fire_due()
        fire_due()

    assert slots(trigger) == between(BEGAN, BEGAN + max(jumps) * HOUR)
    assert Run.objects.count() == len(slots(trigger))


def test_a_jump_back_fires_nothing_until_the_time_is_there_again():
    _, trigger = saved(EVERY_TEN)
    jump(HOUR)
    fired = fire_due()

    jump(timedelta())
    assert [fire_due(), fire_due()] == [0, 0]

    jump(HOUR + 10 * MINUTE)
    assert (fired, fire_due()) == (6, 1)
    assert len(set(slots(trigger))) == 7


@pytest.mark.parametrize(("missed", "ran"), [("all", 6), ("last", 1), ("skip", 0)])
def test_a_jump_forward_is_a_pause(missed, ran):
    trigger = make_schedule(cron="*/10 * * * *", missed=missed)
    start = BEGAN.replace(minute=10)
    Trigger.objects.update(next_fire_at=start)
    jump(HOUR + 2 * MINUTE)  # six slots, the newest five minutes old

    assert fire_due() == ran

    assert slots(trigger) == [start + number * 10 * MINUTE for number in range(6)][6 - ran :]
    assert len(slots(trigger, decision=2)) == 6 - ran


def test_the_clock_of_the_machine_does_not_count(monkeypatch):
    monkeypatch.setattr("brainops.core.clock.now", lambda: datetime(2031, 1, 1, tzinfo=UTC))

    _, trigger = saved(EVERY_TEN)

    assert trigger.next_fire_at == BEGAN.replace(minute=10)
    assert fire_due() == 0


def test_what_is_switched_on_does_not_fire_at_once():
    caller, trigger = saved(EVERY_TEN, is_active=False)
    jump(2 * HOUR)

    triggers.change(caller, trigger.id, {"is_active": True})

    assert fire_due() == 0
    trigger.refresh_from_db()
    assert trigger.next_fire_at == BEGAN.replace(hour=11, minute=10)


CHANGES = [
    {"config": {"missed": "skip"}},
    {"config": {"cron": "*/5 * * * *"}},
    {"config": {"cron": "7 * * * *"}},
    {"config": {"timezone": "Asia/Kolkata"}},
    {"config": {"cron": None, "interval": "1h"}},
    {"name": "Another"},
]


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_a_change_neither_loses_nor_doubles_the_slot_that_is_due(change):
    caller, trigger = saved(EVERY_TEN)
    due = trigger.next_fire_at
    set_clock(due + timedelta(seconds=2))

    triggers.change(caller, trigger.id, change)
    assert [fire_due(), fire_due()] == [1, 0]
    triggers.change(caller, trigger.id, {"config": EVERY_TEN | {"interval": None, "anchor": None}})
    assert fire_due() == 0

    assert slots(trigger) == [due]
    trigger.refresh_from_db()
    assert trigger.next_fire_at == due + 10 * MINUTE


def test_a_slot_with_a_delay_keeps_its_name_when_the_delay_is_taken_away():
    caller, trigger = saved({**EVERY_TEN, "cron": "0 * * * *", "jitter": "1h"})
    fires_at = trigger.next_fire_at
    set_clock(fires_at)

    triggers.change(caller, trigger.id, {"config": {"jitter": None}})
    fire_due()

    assert slots(trigger) == [fires_at.replace(minute=0, second=0, microsecond=0)]


def test_a_change_after_a_pause_forgets_what_nobody_fired():
    caller, trigger = saved(EVERY_TEN)
    jump(5 * HOUR)

    triggers.change(caller, trigger.id, {"config": {"cron": "* * * * *"}})

    assert fire_due() == 0
