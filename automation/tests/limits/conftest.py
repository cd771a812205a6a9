"""Workflows with limits, and starts of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction

from automation.engine.limits import Slot
from automation.models import Run, Workflow, WorkflowVersion
from automation.services import runnable
from automation.store.connection import Connection
from automation.store.intake import NewRun
from automation.store.start import Started, start_run
from automation.store.workers import register

STEP = {"id": "a", "uses": "transform", "with": {"set": {"got": "{{ inputs }}"}}}


@pytest.fixture
def store(transactional_db: None):
    store = Connection()
    yield store
    store.close()


@pytest.fixture
def new_worker(store: Connection) -> Callable[[], UUID]:
    def make() -> UUID:
        worker_id = uuid4()
        register(store, worker_id=worker_id, name=f"host/{worker_id}", pid=1, release="", slots=4)
        return worker_id

    return make


@pytest.fixture
def limited(make_workflow: Any) -> Callable[..., WorkflowVersion]:
    """A workflow that is switched on, with these settings."""

    def make(*steps: dict[str, Any], **settings: Any) -> WorkflowVersion:
        version = make_workflow(*(steps or (STEP,)), settings=settings)
        Workflow.objects.filter(id=version.workflow_id).update(current_version=version, is_active=True)
        runnable.forget_all()
        return version

    return make


@pytest.fixture
def change(limited: Any) -> Callable[..., WorkflowVersion]:
    """Give a workflow a new version with other settings."""

    def new_version(version: WorkflowVersion, **settings: Any) -> WorkflowVersion:
        newest = WorkflowVersion.objects.filter(workflow_id=version.workflow_id).order_by("-ordinal").first()
        assert newest is not None
        definition = {**version.definition, "settings": settings}
        made = WorkflowVersion.objects.create(
            workspace=version.workspace,
            workflow=version.workflow,
            ordinal=newest.ordinal + 1,
            number=f"1.0.{newest.ordinal}",
            name="Test",
            definition=definition,
            checksum="",
        )
        Workflow.objects.filter(id=version.workflow_id).update(current_version=made)
        return made

    return new_version


@pytest.fixture
def start() -> Callable[..., Started]:
    """Start a run under a limit as a door does."""

    def run(version: WorkflowVersion, value: str = "", **rule: Any) -> Started:
        values = {name: rule.pop(name) for name in ("priority", "dedupe_key", "gathering", "inputs") if name in rule}
        slot = Slot(f"{version.workflow_id}:{value}", **rule)
        new = NewRun(version.workspace_id, version.workflow_id, version.id, **{"inputs": {}, "slot": slot, **values})
        with transaction.atomic(), connection.cursor() as cursor:
            started = start_run(cursor, new)
        assert started is not None
        return started

    return run


@pytest.fixture
def statuses() -> Callable[..., list[str]]:
    """The statuses of some runs, as words."""

    def of(*runs: Any) -> list[str]:
        found = {run.id: run.status_word for run in Run.objects.filter(id__in=[run.id for run in runs])}
        return [found[run.id] for run in runs]

    return of
