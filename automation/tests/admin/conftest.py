"""Staff with different rights, and rows for the pages to show."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.utils import timezone

from automation.engine.status import RunStatus, StepStatus
from automation.models import Run, RunData, RunLog, StepRun
from automation.services import runnable
from automation.store.intake import NewRun, insert_run
from automation.tests.triggers.rows import make_workflow
from brainops.accounts.models import User

_numbers = itertools.count(1)

EVIL = "<script>alert(1)</script>"


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    runnable.forget_all()


def make_staff(*permissions: str, **fields: Any) -> Client:
    """A logged-in person; `permissions` are code names of the automation app."""
    user = User.objects.create_user(f"staff{next(_numbers)}@example.com", **{"is_staff": True, **fields})
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    client.user = user
    return client


@pytest.fixture
def admin_of_all(db: None) -> Client:
    return make_staff(is_superuser=True)


@pytest.fixture
def looker(db: None) -> Client:
    """Staff who may look and do nothing."""
    return make_staff("view_run", "view_workflow", "view_trigger", "view_worker")


def make_run(
    workflow: Any = None, *, status: RunStatus = RunStatus.SUCCEEDED, inputs: Any = None, **values: Any
) -> Run:
    """A run that stands in the database with that status."""
    workflow = workflow or make_workflow()
    new = NewRun(workflow.workspace_id, workflow.id, workflow.current_version_id, inputs=inputs or {})
    with connection.cursor() as cursor:
        run_id = insert_run(cursor, new).id
    now = timezone.now()
    ended = {"finished_at": now, "finishes": 1} if status.is_final else {}
    started = {} if status is RunStatus.QUEUED else {"started_at": now - timedelta(seconds=2)}
    Run.objects.filter(id=run_id).update(status=status, **started, **ended, **values)
    return Run.objects.get(id=run_id)


def add_step(run: Run, path: str, status: StepStatus = StepStatus.SUCCEEDED, **values: Any) -> StepRun:
    now = timezone.now()
    times = {} if status is StepStatus.SKIPPED else {"started_at": now - timedelta(seconds=1), "finished_at": now}
    return StepRun.objects.create(run=run, path=path, status=status, **{"kind": "log", **times, **values})


def add_lines(run: Run, count: int, message: str = "line") -> None:
    RunLog.objects.bulk_create(
        RunLog(run=run, seq=1_000_000 + number, path="say", at=timezone.now(), message=f"{message} {number}")
        for number in range(count)
    )


def set_data(run: Run, **values: Any) -> None:
    RunData.objects.filter(run=run).update(**values)
