"""Slots that wait until the older runs of their schedule have ended."""

from datetime import timedelta

import pytest
from django.utils import timezone

from automation.models import Firing, Run, RunData, Trigger, Workflow
from automation.models.firing import FiringDecision
from automation.services.queued_slots import start_queued
from automation.services.schedules import fire_due
from automation.tests.triggers.rows import make_schedule

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
WAITED = "It waited until the run before it had ended."


def this_hour():
    return timezone.now().replace(minute=0, second=0, microsecond=0)


def ledger():
    return [(row.get_decision_display(), row.reason) for row in Firing.objects.order_by("slot")]


def end_runs():
    Run.objects.filter(status__lt=50).update(status=50, finishes=1, finished_at=timezone.now())


def make_three_slots(**config):
    """A schedule of which three slots are due at once."""
    config = {"overlap": "queue", **config}
    return make_schedule(cron="0 * * * *", missed="all", config=config, due=this_hour() - 2 * HOUR)


def test_slots_run_one_after_the_other_oldest_first():
    make_three_slots()
    assert fire_due() == 1
    assert [start_queued(), start_queued()] == [0, 0]

    end_runs()
    assert [start_queued(), start_queued()] == [1, 0]
    assert [row.decision for row in Firing.objects.order_by("slot")] == [1, 1, FiringDecision.QUEUED]

    end_runs()
    assert [start_queued(), start_queued()] == [1, 0]
    assert ledger() == [("ran", ""), ("ran", WAITED), ("ran", WAITED)]
    assert [run.uid for run in Run.objects.order_by("id")] == [row.run_uid for row in Firing.objects.order_by("slot")]


def test_a_slot_that_waits_names_what_it_waits_for():
    make_three_slots()

    fire_due()

    assert [reason for _, reason in ledger()] == ["", *["Waits for the run of an earlier slot."] * 2]


def test_more_slots_than_may_wait_are_left_out():
    make_three_slots(queue_limit=1)

    fire_due()

    assert [row.decision for row in Firing.objects.order_by("slot")] == [
        1,
        FiringDecision.QUEUED,
        FiringDecision.OVERFLOW,
    ]
    assert ledger()[-1] == ("queue full", "1 slots wait already, the most that may.")


def test_a_new_slot_goes_behind_those_that_wait_although_nothing_runs():
    trigger = make_three_slots()
    fire_due()
    end_runs()
    Firing.objects.filter(decision=1).update(slot=this_hour() - 9 * HOUR)
    Firing.objects.filter(decision=FiringDecision.QUEUED, slot=this_hour()).delete()
    Trigger.objects.filter(id=trigger.id).update(next_fire_at=this_hour())

    assert fire_due() == 0

    assert [word for word, _ in ledger()] == ["ran", "queued", "queued"]


def test_what_is_switched_off_meanwhile_lets_its_waiting_slots_pass():
    make_three_slots()
    fire_due()
    end_runs()
    Workflow.objects.update(is_active=False)

    assert [start_queued(), start_queued(), start_queued()] == [0, 0, 0]

    said = "The trigger or its workflow was switched off while the slot waited."
    assert ledger()[1:] == [("inactive", said)] * 2


def test_the_run_of_a_slot_that_waited_knows_its_times():
    trigger = make_three_slots()
    fire_due()
    end_runs()
    start_queued()

    run = Run.objects.order_by("-id").first()
    seen = RunData.objects.get(run=run).input["trigger"]
    assert (run.trigger_id, seen["slot"], seen["previous_slot"]) == (
        trigger.id,
        f"{this_hour() - HOUR:%Y-%m-%dT%H:%M:%SZ}",
        f"{this_hour() - 2 * HOUR:%Y-%m-%dT%H:%M:%SZ}",
    )
