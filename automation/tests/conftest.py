"""Real rows and a real runtime on the test database."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from automation.engine.status import RunStatus
from automation.models import Run, Workflow, WorkflowVersion
from automation.runtime.process import Runtime
from automation.store.intake import Accepted, NewRun, insert_run
from brainops.accounts.models import Workspace


@pytest.fixture
def make_workflow(transactional_db: None) -> Callable[..., WorkflowVersion]:
    """Store a workflow with one version; returns the version."""
    workspace = Workspace.objects.create(name="Acme", slug="acme")

    def make(*steps: dict[str, Any], **document: Any) -> WorkflowVersion:
        definition = {"schema": 1, "steps": list(steps), **document}
        workflow = Workflow.objects.create(workspace=workspace, name="Test", definition=definition)
        return WorkflowVersion.objects.create(
            workspace=workspace,
            workflow=workflow,
            ordinal=1,
            number="1.0.0",
            name="Test",
            definition=definition,
            checksum="",
        )

    return make


@pytest.fixture
def accept() -> Callable[..., Accepted]:
    """Insert a run as a door does."""

    def insert(version: WorkflowVersion, **values: Any) -> Accepted:
        values.setdefault("inputs", {})
        run = NewRun(version.workspace_id, version.workflow_id, version.id, **values)
        with connection.cursor() as cursor:
            return insert_run(cursor, run)

    return insert


@pytest.fixture
def runtime(settings: Any, transactional_db: None) -> Iterator[Runtime]:
    """A runtime of this process with quick clocks."""
    settings.BRAINOPS_WORKER_SLOTS = 4
    settings.BRAINOPS_HEARTBEAT_SECONDS = 0.1
    settings.BRAINOPS_DEAD_SECONDS = 2.0
    settings.BRAINOPS_TICK_SECONDS = 0.1
    process = Runtime()
    process.start()
    yield process
    process.stop(10)


@pytest.fixture
def ended() -> Callable[[UUID], Run]:
    """Wait for a run's final state."""

    def wait(uid: UUID, *, seconds: float = 10) -> Run:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            run = Run.objects.select_related("data").get(uid=uid)
            if run.is_final:
                return run
            time.sleep(0.01)
        pytest.fail(f"run {uid} is {RunStatus(run.status).word} after {seconds} s")

    return wait
