"""Firing schedules: exactly one run per slot."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from automation.models import Firing, Run, RunData, Trigger
from automation.services.schedules import BATCH, fire_due, forget_old_firings
from automation.tests.triggers.rows import make_schedule, make_workflow

pytestmark = pytest.mark.django_db

REQUIRED = {
    "schema": 1,
    "inputs": {
        "properties": {"day": {"type": "string"}, "copies": {"type": "integer", "default": 2}},
        "required": ["day"],
    },
    "steps": [{"id": "say", "uses": "log", "with": {"message": "{{ inputs.day }}"}}],
    "settings": {"timeout": "1h"},
}


def this_minute():
    return timezone.now().replace(second=0, microsecond=0)


def decisions(trigger):
    return [(row.slot, row.get_decision_display()) for row in Firing.objects.filter(trigger=trigger).order_by("slot")]


def test_a_due_slot_starts_one_run_and_the_trigger_moves_on():
    slot = this_minute()
    trigger = make_schedule(due=slot)

    assert fire_due() == 1
    assert fire_due() == 0

    trigger.refresh_from_db()
    run = Run.objects.get()
    assert (run.workflow, run.version, run.trigger) == (
        trigger.workflow,
        trigger.workflow.current_version,
        trigger,
    )
    assert run.dedupe_key == f"cron:{trigger.id}:{slot:%Y-%m-%dT%H:%M:%SZ}"
    assert trigger.last_fired_at == slot
    assert trigger.next_fire_at > slot
    assert [(row.slot, row.run_uid) for row in Firing.objects.all()] == [(slot, run.uid)]


def test_a_slot_in_the_future_does_not_fire():
    make_schedule(due=timedelta(seconds=30))

    assert fire_due() == 0


def test_the_run_is_told_its_slot_on_both_clocks():
    trigger = make_schedule(
        cron="30 9 * * *", timezone="Europe/Berlin", missed="last", due=datetime(2026, 1, 5, 8, 30, tzinfo=UTC)
    )
    Trigger.objects.update(last_fired_at=datetime(2026, 1, 4, 8, 30, tzinfo=UTC))

    fire_due()

    scope = RunData.objects.get().input["trigger"]
    newest = Firing.objects.get(decision=1).slot
    before = newest - timedelta(days=1)
    assert scope["slot"] == f"{newest:%Y-%m-%dT%H:%M:%SZ}"
    assert scope["scheduled_for"][10:] in ("T09:30:00+01:00", "T09:30:00+02:00")
    assert (scope["kind"], scope["trigger_id"]) == ("schedule", str(trigger.id))
    assert scope["previous_slot"][:7] == f"{before:%Y-%m}"


def test_inputs_of_the_trigger_are_completed_from_the_declaration():
    make_schedule(make_workflow(definition=REQUIRED), due=this_minute(), inputs={"day": "today"})

    fire_due()

    assert RunData.objects.get().input["inputs"] == {"day": "today", "copies": 2}
    assert Run.objects.get().deadline_at is not None


def test_inputs_that_no_longer_fit_are_refused_with_the_reason_in_the_ledger():
    slot = this_minute()
    trigger = make_schedule(make_workflow(definition=REQUIRED), due=slot, inputs={})

    assert fire_due() == 0

    firing = Firing.objects.get()
    assert (firing.slot, firing.get_decision_display(), firing.reason, firing.run_uid) == (
        slot,
        "refused",
        'Input "day" is required. Add it.',
        None,
    )
    trigger.refresh_from_db()
    assert trigger.next_fire_at > slot


@pytest.mark.parametrize("change", [{"is_active": False}, {"archived_at": datetime(2026, 1, 1, tzinfo=UTC)}])
def test_a_workflow_that_is_off_lets_the_slot_pass(change):
    slot = this_minute()
    trigger = make_schedule(due=slot)
    type(trigger.workflow).objects.update(**change)

    assert fire_due() == 0

    trigger.refresh_from_db()
    assert decisions(trigger) == [(slot, "inactive")]
    assert trigger.next_fire_at > slot


def test_a_trigger_that_is_off_is_not_looked_at():
    trigger = make_schedule(due=this_minute(), is_active=False)

    assert fire_due() == 0
    assert decisions(trigger) == []


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("skip", ["missed", "missed", "missed"]),
        ("last", ["missed", "missed", "ran"]),
        ("all", ["ran", "ran", "ran"]),
    ],
)
def test_after_a_pause_the_policy_decides(policy, expected):
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    # the newest slot is at least two minutes old, so it is a missed one
    minute = (timezone.now() - timedelta(minutes=2)).minute
    first = hour.replace(minute=minute) - timedelta(hours=2 if minute <= timezone.now().minute else 3)
    trigger = make_schedule(cron=f"{minute} * * * *", missed=policy, due=first)

    assert fire_due() == expected.count("ran")

    assert [word for _slot, word in decisions(trigger)] == expected
    assert Run.objects.count() == expected.count("ran")


def test_a_slot_that_stands_in_the_ledger_never_runs_again():
    slot = this_minute()
    make_schedule(due=slot)
    fire_due()
    Run.objects.all().delete()
    Trigger.objects.update(next_fire_at=slot)

    assert fire_due() == 0
    assert Run.objects.count() == 0


def test_a_trigger_whose_zone_is_gone_stops_and_says_why():
    slot = this_minute()
    trigger = make_schedule(timezone="Atlantis/Capital", due=slot)
    healthy = make_schedule(due=slot)

    assert fire_due() == 1

    trigger.refresh_from_db()
    assert trigger.next_fire_at is None
    assert Firing.objects.get(trigger=trigger).reason == "No time zone found with key Atlantis/Capital"
    assert decisions(healthy) == [(slot, "ran")]


def test_a_trigger_of_an_unknown_kind_stops_and_says_why():
    trigger = make_schedule(due=this_minute())
    Trigger.objects.update(kind="gone")

    assert fire_due() == 0
    assert Firing.objects.get(trigger=trigger).reason == "The trigger kind 'gone' does not fire by the clock here."


def test_more_triggers_than_the_limit_are_left_for_the_next_tick():
    workflow = make_workflow()
    for _ in range(5):
        make_schedule(workflow, due=this_minute())

    assert [fire_due(limit=3), fire_due(limit=3), fire_due(limit=3)] == [3, 2, 0]


def test_a_tick_costs_the_same_statements_for_one_trigger_and_for_twenty(django_assert_num_queries):
    workflow = make_workflow()
    make_schedule(workflow, due=this_minute())
    fire_due()  # the version is known from here on
    for _ in range(20):
        make_schedule(workflow, due=this_minute())

    # savepoint, lock, ledger, runs, link, alarms, advance, release
    with django_assert_num_queries(8):
        fire_due()


def test_the_ledger_is_pruned_by_age():
    trigger = make_schedule()
    Firing.objects.create(trigger=trigger, slot=timezone.now() - timedelta(days=91), decision=1)
    Firing.objects.create(trigger=trigger, slot=timezone.now() - timedelta(days=89), decision=1)

    assert forget_old_firings(days=90) == 1
    assert Firing.objects.count() == 1


def test_a_tick_whose_time_is_over_begins_no_further_batch():
    workflow = make_workflow()
    for _ in range(BATCH + 5):
        make_schedule(workflow, due=this_minute())

    assert [fire_due(seconds=0), fire_due(seconds=0), fire_due(seconds=0)] == [BATCH, 5, 0]
