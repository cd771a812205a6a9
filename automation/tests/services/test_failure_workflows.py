"""Failure workflows: started once for a run that failed or ran out of time, and never in a circle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from automation.engine.status import RunStatus
from automation.models import Run, RunData, RunLog, Workflow
from automation.services import failure_workflows, runs
from automation.services.runs import StartedRun

FAILS: dict[str, Any] = {"schema": 1, "steps": [{"id": "no", "uses": "fail", "with": {"message": "No."}}]}
TELL: dict[str, Any] = {"schema": 1, "steps": [{"id": "tell", "uses": "log", "with": {"message": "x"}}]}
ERROR = {"type": "failed", "message": "No.", "step": "no", "attempt": 1, "class": "user"}


@pytest.fixture
def workflow(make_workflow: Any) -> Callable[..., Workflow]:
    def make(name: str, document: dict[str, Any], **more: Any) -> Workflow:
        version = make_workflow(*document["steps"], **more)
        Workflow.objects.filter(id=version.workflow_id).update(name=name, current_version=version)
        return Workflow.objects.get(id=version.workflow_id)

    return make


@pytest.fixture
def order(workflow: Any) -> Workflow:
    return workflow("order", FAILS, settings={"on_failure": "notify"})


def start(workflow: Workflow, **values: Any) -> StartedRun:
    return runs.start(workflow.id, workspace_id=workflow.workspace_id, inputs=values)


def end(started: StartedRun, status: RunStatus = RunStatus.FAILED) -> Run:
    with connection.cursor() as cursor:
        cursor.execute(
            "update automation_run set status = %s, finishes = 1, finished_at = now() where id = %s",
            (status, started.id),
        )
    RunData.objects.filter(run_id=started.id).update(error=ERROR)
    return Run.objects.get(id=started.id)


def said(run: Run) -> list[tuple[str, str]]:
    return list(RunLog.objects.filter(run=run).values_list("level", "message"))


@pytest.mark.parametrize("status", [RunStatus.FAILED, RunStatus.TIMED_OUT])
def test_a_run_that_failed_starts_its_failure_workflow_once(workflow, order, status, settings):
    notify = workflow("notify", TELL)
    failed = end(start(order, id=7), status)

    assert [failure_workflows.start_due() for _ in range(3)] == [1, 0, 0]

    handler = Run.objects.select_related("data").get(workflow=notify)
    assert handler.data.input == {
        "inputs": {
            "run": {
                "id": str(failed.uid),
                "workflow": "order",
                "workflow_id": str(order.id),
                "version": "1.0.0",
                "number": failed.id,
                "status": status.word,
                "started_at": failed.created_at.isoformat(),
                "finished_at": failed.finished_at.isoformat(),
                "url": f"{settings.BRAINOPS_PUBLIC_URL}/admin/automation/run/{failed.uid}/",
            },
            "error": ERROR,
        },
        "trigger": {"kind": "failure", "run": str(failed.uid)},
    }
    assert (handler.called_by_run, handler.depth, handler.is_detached) == (failed, 1, True)
    assert said(failed) == [("info", "Started 'notify', because this run failed.")]


@pytest.mark.parametrize("status", [RunStatus.SUCCEEDED, RunStatus.CANCELLED])
def test_other_ends_start_nothing(workflow, order, status):
    workflow("notify", TELL)
    end(start(order), status)

    assert failure_workflows.start_due() == 0


def test_a_handler_that_declares_inputs_is_told_what_it_declares(workflow, order):
    schema = {"properties": {"inputs": {}, "error": {}}, "additionalProperties": False}
    notify = workflow("notify", TELL, inputs=schema)
    end(start(order, id=7))

    failure_workflows.start_due()

    assert RunData.objects.get(run__workflow=notify).input["inputs"] == {"inputs": {"id": 7}, "error": ERROR}


def test_the_failure_of_a_handler_starts_no_further_one(workflow, order):
    workflow("notify", FAILS, settings={"on_failure": "more"})
    workflow("more", TELL)
    end(start(order))
    failure_workflows.start_due()
    handler = Run.objects.get(workflow__name="notify")

    end(StartedRun(handler.id, handler.uid, None, None))  # type: ignore[arg-type]  # only the id counts

    assert failure_workflows.start_due() == 0
    assert Run.objects.count() == 2


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"name": "other"}, "This workspace has no workflow 'notify'."),
        ({"is_active": False}, "The workflow 'notify' is switched off."),
        ({"archived_at": "2026-01-01T00:00:00Z"}, "The workflow 'notify' is archived."),
    ],
)
def test_a_handler_that_may_not_run_is_said_in_the_log_and_not_tried_again(workflow, order, change, reason):
    notify = workflow("notify", TELL)
    failed = end(start(order))
    Workflow.objects.filter(id=notify.id).update(**change)

    assert [failure_workflows.start_due() for _ in range(2)] == [0, 0]

    [(level, message)] = said(failed)
    assert (level, message.startswith(f"The failure workflow 'notify' was not started: {reason}")) == ("error", True)
    assert not Run.objects.get(id=failed.id).calls_on_failure


def test_a_handler_that_refuses_what_it_is_told_is_said_in_the_log(workflow, order):
    workflow("notify", TELL, inputs={"properties": {"channel": {}}, "required": ["channel"]})
    failed = end(start(order))

    assert failure_workflows.start_due() == 0
    assert "channel" in said(failed)[0][1]


def test_handlers_of_handlers_end_at_the_depth_of_calls(workflow, order, settings):
    settings.BRAINOPS_LIMITS = settings.BRAINOPS_LIMITS | {"call_depth": 3}
    workflow("notify", TELL)
    failed = end(start(order))
    Run.objects.filter(id=failed.id).update(depth=3)

    assert failure_workflows.start_due() == 0
    assert "BRAINOPS_LIMIT_CALL_DEPTH" in said(failed)[0][1]
