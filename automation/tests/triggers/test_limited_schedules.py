"""Schedules of workflows with limits: the ledger says what each slot became."""

from __future__ import annotations

from datetime import timedelta

import pytest

from automation.models import Firing, Run
from automation.services.schedules import fire_due
from automation.tests.triggers.rows import DEFINITION, make_schedule, make_workflow

pytestmark = pytest.mark.django_db


def schedule(**settings):
    workflow = make_workflow(definition={**DEFINITION, "settings": settings})
    return make_schedule(workflow, missed="all", due=-timedelta(minutes=2))


def decisions():
    return [row.get_decision_display() for row in Firing.objects.order_by("slot")]


def test_slots_beyond_the_limit_wait_for_their_turn():
    schedule(concurrency={"limit": 1})

    started = fire_due()

    assert decisions() == ["ran"] * started
    statuses = [run.status_word for run in Run.objects.order_by("id")]
    assert statuses == ["queued"] + ["blocked"] * (started - 1)
    assert started >= 2


@pytest.mark.parametrize("when_full", ["skip", "fail"])
def test_slots_that_find_the_limit_full_are_left_out_and_the_ledger_says_so(when_full):
    schedule(concurrency={"limit": 1, "when_full": when_full})

    assert fire_due() == 1

    first, *others = Firing.objects.order_by("slot")
    said = "The workflow's limit is full: 1 of 1 runs are under way."
    assert first.run_uid == Run.objects.get().uid
    assert {(row.get_decision_display(), row.reason, row.run_uid) for row in others} == {("limit full", said, None)}


def test_gathered_slots_are_one_run():
    schedule(debounce={"wait": "1h"})

    fire_due()

    run = Run.objects.get()
    assert {row.run_uid for row in Firing.objects.all()} == {run.uid}
    assert run.status_word == "blocked"
