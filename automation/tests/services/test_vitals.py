"""The health component and the gauges of the engine."""

from __future__ import annotations

import pytest
from django.db import connection

from automation.models import Worker, WorkerState
from automation.services.vitals import samples, workers
from brainops.core.health import Component


def tick() -> None:
    with connection.cursor() as cursor:
        cursor.execute("insert into automation_tick (name, next_at, ran_at) values ('pulse', now(), now())")


@pytest.mark.django_db
def test_without_a_worker_the_component_is_down():
    tick()

    assert workers() == Component("workers", is_up=False, note="0 live")


@pytest.mark.django_db
def test_a_breathing_worker_and_a_recent_tick_are_up():
    Worker.objects.create(name="host/0")
    tick()

    assert workers() == Component("workers", is_up=True, note="1 live")


@pytest.mark.django_db
def test_a_worker_without_ticks_is_not_enough():
    Worker.objects.create(name="host/0")

    assert not workers().is_up


def test_open_runs_and_workers_are_counted_by_state(make_workflow, accept):
    version = make_workflow({"id": "a", "uses": "transform", "with": {"set": {}}})
    accept(version)
    accept(version)
    Worker.objects.create(name="host/0", state=WorkerState.DRAINING)

    found = {(sample.name, *sample.labels.values()): sample.value for sample in samples()}

    assert found["brainops_runs_open", "queued"] == 2
    assert found["brainops_workers", "live"] == 0
    assert found["brainops_workers", "draining"] == 1
