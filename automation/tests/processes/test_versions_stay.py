"""A run in flight stays on the version it began with, through edits and deployments."""

from __future__ import annotations

import signal

import pytest

from automation.engine.status import RunStatus
from automation.models import Run, StepRun
from automation.services import runs, workflows
from automation.services.workflow_drafts import Content, Draft
from brainops.accounts.caller import system_caller
from brainops.accounts.models import Workspace
from tests.live import wait_until

pytestmark = pytest.mark.processes


def definition(word: str, url: str) -> dict:
    """Say the word before and after a wait; the second version has other steps."""
    send = {"method": "POST", "url": url, "json": {"id": f"{word} {{{{ run.id }}}}"}}
    return {
        "schema": 1,
        "steps": [
            {"id": f"before-{word}", "uses": "transform", "with": {"set": {"word": word}}},
            {"id": "pause", "needs": [f"before-{word}"], "uses": "delay", "with": {"for": "4s"}},
            {"id": f"after-{word}", "needs": ["pause"], "uses": "http.request", "with": send},
        ],
        "output": f"{{{{ steps['before-{word}'].output.word }}}}",
    }


def test_a_run_ends_on_its_version_although_workflow_and_worker_changed_meanwhile(receiver, workers):
    workspace = Workspace.objects.create(name="Acme", slug="acme")
    caller = system_caller(workspace.id, "tests")
    workflow = workflows.create(caller, Draft(Content("Flight", definition("old", receiver.url))))
    [old_worker] = workers.start()
    first = runs.start(workflow.id, workspace_id=workspace.id, inputs={})
    wait_until(lambda: Run.objects.get(id=first.id).status == RunStatus.WAITING)

    workflows.change(caller, workflow.id, lambda _row: Draft(Content("Flight", definition("new", receiver.url))))
    old_worker.send_signal(signal.SIGTERM)  # a deployment: the old process goes, a new one comes
    old_worker.wait(20)
    workers.start()
    second = runs.start(workflow.id, workspace_id=workspace.id, inputs={})
    wait_until(lambda: Run.objects.filter(status__gte=RunStatus.SUCCEEDED).count() == 2)

    found = {run.id: (run.version.number, run.status, run.data.output) for run in Run.objects.all()}
    assert found == {
        first.id: ("1.0.0", RunStatus.SUCCEEDED, "old"),
        second.id: ("1.0.1", RunStatus.SUCCEEDED, "new"),
    }
    paths = set(StepRun.objects.filter(run_id=first.id).values_list("path", flat=True))
    assert paths == {"before-old", "pause", "after-old"}
    assert sorted(receiver.keys) == sorted([f"old {first.uid}", f"new {second.uid}"])
