"""Workflows whose runs end one way or another, and rules that watch them."""

from __future__ import annotations

import itertools
from typing import Any

from django.db import connection

from automation.engine.notices import ABOUT_RUNS
from automation.engine.status import RunStatus
from automation.models import NoticeDelivery, NoticeRule, Run, RunData, RunMode, Workflow, WorkflowVersion
from automation.store.intake import NewRun, insert_run
from brainops.accounts.models import Workspace

_numbers = itertools.count(1)
OK, BAD, LATE = RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.TIMED_OUT
ERROR = {"type": "failed", "message": "No such order.", "step": "look", "attempt": 1, "class": "user"}

END = """
update automation_run
set status = %(status)s, finishes = 1, finished_at = now(), started_at = now() - make_interval(secs => %(seconds)s)
where id = any(%(runs)s)
"""


def make_workspace() -> Workspace:
    number = next(_numbers)
    return Workspace.objects.create(name=f"Acme {number}", slug=f"acme-{number}")


def make_workflow(workspace: Workspace, name: str = "Orders", **values: Any) -> Workflow:
    definition = {"schema": 1, "steps": [{"id": "tell", "uses": "log", "with": {"message": "x"}}]}
    workflow = Workflow.objects.create(workspace=workspace, name=name, definition=definition, **values)
    version = WorkflowVersion.objects.create(
        workspace=workspace, workflow=workflow, ordinal=1, number="1.0.0", definition=definition, checksum=""
    )
    Workflow.objects.filter(id=workflow.id).update(current_version=version)
    workflow.current_version = version
    return workflow


def make_rule(workspace: Workspace, **values: Any) -> NoticeRule:
    chosen = values.pop("workflows", ())
    usual = {"name": "Tell us", "events": list(ABOUT_RUNS), "channel": "email", "slow_seconds": 3600}
    usual |= {"recipients": ["ops@example.com"]} if values.get("channel", "email") == "email" else {}
    rule = NoticeRule.objects.create(workspace=workspace, **{**usual, **values})
    rule.workflows.set(chosen)
    return rule


def begin(workflow: Workflow, **values: Any) -> Run:
    new = NewRun(workflow.workspace_id, workflow.id, workflow.current_version_id, inputs={}, **values)
    with connection.cursor() as cursor:
        return Run.objects.get(id=insert_run(cursor, new).id)


def end(run: Run, status: RunStatus = BAD, *, seconds: float = 2) -> Run:
    """End a run as the engine's statements do: by an update of its row."""
    with connection.cursor() as cursor:
        cursor.execute(END, {"status": int(status), "seconds": seconds, "runs": [run.id]})
    if status is not OK:
        RunData.objects.filter(run=run).update(error=ERROR)
    run.refresh_from_db()
    return run


def fail_many(workflow: Workflow, count: int) -> None:
    runs = [begin(workflow).id for _ in range(count)]
    with connection.cursor() as cursor:
        cursor.execute(END, {"status": int(BAD), "seconds": 1, "runs": runs})


def run_once(workflow: Workflow, status: RunStatus = BAD, *, seconds: float = 2, **values: Any) -> Run:
    return end(begin(workflow, **values), status, seconds=seconds)


def told(rule: NoticeRule | None = None) -> list[str]:
    """The events of the outbox, oldest first."""
    rows = NoticeDelivery.objects.filter(rule=rule) if rule else NoticeDelivery.objects.all()
    return list(rows.order_by("created_at", "id").values_list("event", flat=True))


TEST_RUN = int(RunMode.TEST)
