"""Deleting a workflow: nothing dangles, whatever its history, and nothing else goes."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from automation.models import Firing, Run, RunData, RunLog, StepRun, Trigger, Workflow, WorkflowVersion
from automation.services import workflow_deletion, workflows
from automation.services.workflow_drafts import Content, Draft
from automation.store import delete_runs
from automation.store.intake import NewRun, insert_run
from brainops.accounts.caller import Caller, system_caller
from brainops.accounts.models import Workspace
from brainops.audit.models import AuditEntry

TABLES = (Run, RunData, StepRun, RunLog, WorkflowVersion, Trigger, Firing, Workflow)


@pytest.fixture
def caller(transactional_db: None) -> Caller:
    return system_caller(Workspace.objects.create(name="Team", slug="team").id, "tests")


def make(caller: Caller, name: str, *, runs: int) -> Workflow:
    """A workflow with a schedule that fired and a chain of runs, each the retry of the one before."""
    definition = {"schema": 1, "steps": [{"id": "say", "uses": "log", "with": {"message": "x"}}]}
    workflow = workflows.create(caller, Draft(Content(name, definition)))
    trigger = Trigger.objects.create(workspace_id=workflow.workspace_id, workflow=workflow, kind="schedule", config={})
    Firing.objects.create(trigger=trigger, slot="2026-01-01T00:00:00Z", decision=1)
    parent = None
    for _ in range(runs):
        parent = insert(workflow, trigger, parent)
        StepRun.objects.create(run_id=parent, path="say", status=50)
        RunLog.objects.create(run_id=parent, seq=1, at="2026-01-01T00:00:00Z", message="x")
    return workflow


def insert(workflow: Workflow, trigger: Trigger, parent: int | None) -> int:
    run = NewRun(
        workflow.workspace_id,
        workflow.id,
        workflow.current_version_id,
        inputs={},
        trigger_id=trigger.id,
        parent_run_id=parent,
    )
    with connection.cursor() as cursor:
        return insert_run(cursor, run).id


def rows() -> dict[str, int]:
    return {model.__name__: model.objects.count() for model in TABLES}


def test_everything_of_a_workflow_goes_and_nothing_of_another(caller: Caller, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(delete_runs, "BATCH", 2)  # several batches, with retries across their borders
    make(caller, "Stays", runs=1)
    before = rows()
    goes = make(caller, "Goes", runs=5)

    counts = workflow_deletion.delete(caller, goes.id)

    assert counts == {"runs": 5, "triggers": 1, "versions": 1}
    assert rows() == before
    assert AuditEntry.objects.get(action="workflow.delete").summary == (
        "Deleted workflow 'Goes' with 5 runs, 1 trigger, 1 version."
    )


def test_what_would_go_is_counted_and_nothing_goes(caller: Caller):
    workflow = make(caller, "Stays", runs=2)
    before = rows()

    assert workflow_deletion.what_goes_with(caller, workflow.id) == {"runs": 2, "triggers": 1, "versions": 1}
    assert rows() == before


def test_a_refused_deletion_leaves_everything(caller: Caller):
    workflow = make(caller, "Stays", runs=2)
    before = rows()

    def refuse(_row: Any) -> None:
        raise PermissionError

    with pytest.raises(PermissionError):
        workflow_deletion.delete(caller, workflow.id, check=refuse)
    assert rows() == before
