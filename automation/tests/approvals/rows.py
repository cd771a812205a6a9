"""Runs that stand at a step which asks, as a worker leaves them."""

from __future__ import annotations

import itertools
from typing import Any
from uuid import uuid4

from django.db import connection, transaction

from automation.engine.commands import AskApproval, Command
from automation.engine.status import RunStatus
from automation.models import Approval, Run, Workflow, WorkflowVersion
from automation.store.commands import CommandContext, perform_in_transaction
from automation.store.intake import NewRun, insert_run
from brainops.accounts.caller import Caller
from brainops.accounts.models import Membership, Role, User, Workspace

_numbers = itertools.count(1)
STEP = {"id": "ask", "uses": "approval", "with": {"title": "Refund?"}}


def make_run(workspace: Workspace, *, status: RunStatus = RunStatus.RUNNING) -> Run:
    """A run of a new workflow; a running one is held by nobody in particular."""
    workflow = Workflow.objects.create(workspace=workspace, name=f"Refunds {next(_numbers)}", definition={})
    version = WorkflowVersion.objects.create(
        workspace=workspace, workflow=workflow, ordinal=1, number="1.0.0", definition={"steps": [STEP]}, checksum=""
    )
    with connection.cursor() as cursor:
        run_id = insert_run(cursor, NewRun(workspace.id, workflow.id, version.id, inputs={})).id
    move(Run.objects.get(id=run_id), status)
    return Run.objects.get(id=run_id)


def move(run: Run, status: RunStatus) -> None:
    """Put a run where a worker would."""
    claim = uuid4() if status is RunStatus.RUNNING else None
    ended = {"finished_at": run.created_at, "finishes": 1} if status.is_final else {}
    Run.objects.filter(id=run.id).update(status=status, claim=claim, worker_id=claim, **ended)


def context_of(run: Run, path: str = "ask", attempt: int = 1) -> CommandContext:
    run.refresh_from_db()
    return CommandContext(
        run_id=run.id,
        run_uid=run.uid,
        claim=run.claim,
        workspace_id=run.workspace_id,
        workflow_id=run.workflow_id,
        depth=0,
        path=path,
        attempt=attempt,
    )


def perform(run: Run, command: Command, *, path: str = "ask", attempt: int = 1) -> Any:
    """What the step of a held run is answered."""
    with transaction.atomic(), connection.cursor() as cursor:
        return perform_in_transaction(cursor, context_of(run, path, attempt), command, 1)


def ask(workspace: Workspace, *, run: Run | None = None, path: str = "ask", **question: Any) -> Approval:
    """An approval that a parked run waits for."""
    run = run or make_run(workspace)
    move(run, RunStatus.RUNNING)
    answer = perform(run, AskApproval(**{"title": "Refund?", **question}), path=path)
    move(run, RunStatus.WAITING)
    return Approval.objects.get(id=answer["id"])


def looks(approval: Approval) -> Any:
    """What the step sees when the run was claimed again."""
    move(approval.run, RunStatus.RUNNING)
    return perform(approval.run, AskApproval("Refund?"), path=approval.path, attempt=approval.number)


def member(workspace: Workspace, name: str, role: Role = Role.OPERATOR, **caller: Any) -> Caller:
    """A member of the workspace who calls with a token."""
    user = User.objects.create_user(f"{name}@example.com", username=name)
    Membership.objects.create(user=user, workspace=workspace, role=role)
    return Caller(user.id, user.email, "token", workspace.id, role, **caller)


def state(run: Run) -> tuple[str, int]:
    """The status of a run, and how much news it has been given."""
    run.refresh_from_db()
    return run.status_word, run.signals
