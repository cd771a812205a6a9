"""Runs that call runs, on real workers: ends and cancels go up and down, also when a worker dies."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from automation.engine.status import RunStatus
from automation.models import Run, Workflow, WorkflowVersion
from automation.store.cancel import cancel_runs
from tests.live import wait_until

pytestmark = pytest.mark.processes

LONGEST_CANCEL_SECONDS = 2.5
PRODUCT_CLOCKS = {"BRAINOPS_HEARTBEAT_SECONDS": "2", "BRAINOPS_DEAD_SECONDS": "10", "BRAINOPS_TICK_SECONDS": "1"}


def call(workflow: str, **fields: Any) -> dict[str, Any]:
    return {"id": f"call_{workflow}", "call": {"workflow": workflow, **fields}}


@pytest.fixture
def workflow(make_workflow: Any) -> Callable[..., WorkflowVersion]:
    def make(name: str, *steps: dict[str, Any], **document: Any) -> WorkflowVersion:
        version = make_workflow(*steps, **document)
        Workflow.objects.filter(id=version.workflow_id).update(name=name, current_version=version)
        return version

    return make


@pytest.fixture
def sends(workflow: Any, receiver: Any) -> WorkflowVersion:
    """The lowest of three: sends one request to the receiver."""
    request = {"method": "POST", "url": receiver.url, "json": {"id": "{{ inputs.id }}"}}
    inputs = {"properties": {"id": {}}}
    workflow("low", {"id": "send", "uses": "http.request", "timeout": "60s", "with": request}, inputs=inputs)
    workflow("middle", call("low", inputs={"id": "{{ inputs.id }}"}), inputs=inputs)
    return workflow("high", call("middle", inputs={"id": "{{ inputs.id }}"}), inputs=inputs)


def statuses() -> list[str]:
    return [RunStatus(status).word for status in Run.objects.order_by("id").values_list("status", flat=True)]


def test_a_cancel_reaches_the_request_of_a_run_two_calls_below_in_time(sends, accept, receiver, workers):
    receiver.delay_seconds = 30
    workers.start(2, **PRODUCT_CLOCKS)
    started = accept(sends, inputs={"id": 1})
    wait_until(lambda: receiver.keys)

    asked_at = time.monotonic()
    with transaction.atomic(), connection.cursor() as cursor:
        cancel_runs(cursor, [started.id])

    wait_until(lambda: statuses() == ["cancelled"] * 3)
    assert time.monotonic() - asked_at <= LONGEST_CANCEL_SECONDS
    assert set(Run.objects.values_list("finishes", flat=True)) == {1}


def test_the_end_of_a_called_run_is_heard_though_workers_die(sends, accept, receiver, workers):
    receiver.delay_seconds = 0.3
    victim, _survivor = workers.start(2)
    for number in range(20):
        accept(sends, inputs={"id": number})
    wait_until(lambda: len(receiver.keys) >= 5)

    victim.send_signal(signal.SIGKILL)
    victim.wait()

    wait_until(lambda: statuses() == ["succeeded"] * 60)
    assert set(Run.objects.values_list("finishes", flat=True)) == {1}
    assert len(receiver.keys) == 20


def test_a_run_that_failed_starts_its_failure_workflow_whichever_worker_ticks(workflow, accept, workers):
    workflow("notify", {"id": "say", "uses": "log", "with": {"message": "x"}})
    broken = workflow(
        "broken", {"id": "no", "uses": "fail", "with": {"message": "No."}}, settings={"on_failure": "notify"}
    )
    workers.start(2)

    for _ in range(10):
        accept(broken, calls_on_failure=True)

    wait_until(lambda: sorted(statuses()) == ["failed"] * 10 + ["succeeded"] * 10)
    assert Run.objects.filter(workflow__name="notify").values("dedupe_key").distinct().count() == 10
