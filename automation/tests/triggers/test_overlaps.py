"""Slots that come due while a run of the same trigger is under way."""

from datetime import timedelta

import pytest
from django.utils import timezone

from automation.models import Firing, Run, Trigger
from automation.services.schedules import fire_due
from automation.tests.triggers.rows import make_schedule, make_workflow

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def this_hour():
    return timezone.now().replace(minute=0, second=0, microsecond=0)


def ledger():
    return [(row.get_decision_display(), row.reason) for row in Firing.objects.order_by("slot")]


def fire_two_slots(overlap, *, end_first=False):
    """Fire one slot and an hour later the next; the first run is under way or has ended meanwhile."""
    hour = this_hour()
    trigger = make_schedule(cron="0 * * * *", config={"overlap": overlap}, due=hour)
    fire_due()
    first = Run.objects.get()
    if end_first:
        Run.objects.update(status=50, finishes=1, finished_at=timezone.now())
    Firing.objects.update(slot=hour - HOUR)
    Trigger.objects.filter(id=trigger.id).update(next_fire_at=hour)
    Run.objects.update(dedupe_key="cron:of-the-hour-before")
    return first, fire_due()


def test_a_slot_runs_beside_an_older_run_where_nothing_is_said():
    _first, started = fire_two_slots("allow")

    assert (started, ledger()) == (1, [("ran", ""), ("ran", "")])


def test_a_slot_is_skipped_while_a_run_is_under_way_and_the_ledger_names_it():
    first, started = fire_two_slots("skip")

    assert started == 0
    assert ledger() == [("ran", ""), ("overlapped", f"Run {first.uid} is still under way.")]
    assert Run.objects.count() == 1


def test_a_slot_runs_when_the_run_before_it_has_ended():
    _first, started = fire_two_slots("skip", end_first=True)

    assert (started, ledger()) == (1, [("ran", ""), ("ran", "")])


def test_a_slot_cancels_the_older_run():
    first, started = fire_two_slots("cancel_old")

    assert started == 1
    assert ledger() == [("ran", ""), ("ran", f"Cancelled run {first.uid}, which was still under way.")]
    assert [run.status_word for run in Run.objects.order_by("id")] == ["cancelled", "queued"]


def test_runs_of_other_triggers_are_no_overlap():
    workflow = make_workflow()
    for _ in range(2):
        make_schedule(workflow, cron="0 * * * *", config={"overlap": "skip"}, due=this_hour())

    assert fire_due() == 2


@pytest.mark.parametrize(
    ("overlap", "expected"),
    [
        ("skip", [("ran", ""), ("overlapped", "The run of an earlier slot starts with it.")]),
        ("cancel_old", [("overlapped", "A later slot came due with it."), ("ran", "")]),
    ],
)
def test_slots_that_are_caught_up_together_do_not_overlap_either(overlap, expected):
    make_schedule(cron="0 * * * *", missed="all", config={"overlap": overlap}, due=this_hour() - HOUR)

    assert fire_due() == 1

    found = ledger()
    assert (found[0], found[-1]) == (expected[0], expected[-1])
    assert Run.objects.count() == 1
