"""After an upgrade: which stored versions no longer run, who is told, and that runs in flight stay on theirs."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from automation.engine.status import RunStatus
from automation.models import Run, Workflow, WorkflowVersion
from automation.services import samples, soundness
from automation.store.intake import NewRun, insert_run
from automation.tests.triggers.rows import make_workflow
from brainops.accounts.caller import system_caller
from brainops.accounts.models import Workspace
from brainops.core import health

pytestmark = pytest.mark.django_db

GONE = {"schema": 1, "steps": [{"id": "say", "uses": "gone", "with": {}}]}


@pytest.fixture(autouse=True)
def _nothing_remembered():
    soundness.forget_all()


def add_run(workflow, version_id, *, status=RunStatus.QUEUED):
    new = NewRun(workflow.workspace_id, workflow.id, version_id, inputs={})
    with connection.cursor() as cursor:
        run_id = insert_run(cursor, new).id
    ended = {"finished_at": "2026-01-01T00:00:00Z", "finishes": 1} if status.is_final else {}
    Run.objects.filter(id=run_id).update(status=status, **ended)


def validate(**options):
    out = StringIO()
    call_command("validate_workflows", stdout=out, **options)
    return out.getvalue()


def next_version(workflow, definition):
    """The workflow goes on with another definition."""
    workflow.current_version = WorkflowVersion.objects.create(
        workspace=workflow.workspace,
        workflow=workflow,
        ordinal=2,
        number="1.0.1",
        name=workflow.name,
        definition=definition,
        checksum="1" * 64,
    )
    workflow.version, workflow.definition = "1.0.1", definition
    workflow.save()


def test_sound_workflows_are_counted():
    workspace = Workspace.objects.create(name="Main", slug="main")
    samples.load(system_caller(workspace.id, "tests"))

    assert validate() == f"All {Workflow.objects.count()} versions in use are fine.\n"


def test_a_current_version_that_no_longer_plans_is_named_with_its_place():
    make_workflow()
    broken = make_workflow(definition=GONE, name="Broken")
    out = StringIO()

    with pytest.raises(CommandError, match=r"^1 of 2 versions in use are refused by this release\.$"):
        call_command("validate_workflows", stdout=out)

    assert out.getvalue().startswith(f"acme: Broken 1.0.0 ({broken.id}, current)/definition/steps/0/uses: ")


def test_a_version_that_only_unfinished_runs_use_is_named_with_their_number():
    workflow = make_workflow(definition=GONE)
    old = workflow.current_version_id
    next_version(workflow, {"schema": 1, "steps": [{"id": "say", "uses": "log", "with": {"message": "x"}}]})
    for status in (RunStatus.QUEUED, RunStatus.WAITING, RunStatus.SUCCEEDED):
        add_run(workflow, old, status=status)
    out = StringIO()

    with pytest.raises(CommandError, match=r"1 of 2 versions in use .*; 2 unfinished runs would fail\.$"):
        call_command("validate_workflows", stdout=out, json=True)

    found = json.loads(out.getvalue())
    assert (found["checked"], found["stuck_runs"]) == (2, 2)
    [unsound] = found["unsound"]
    assert unsound["problems"][0]["pointer"] == "/definition/steps/0/uses"
    del unsound["problems"]
    assert unsound == {
        "workspace": "acme",
        "workflow_id": str(workflow.id),
        "workflow": "Report",
        "version": "1.0.0",
        "is_current": False,
        "unfinished_runs": 2,
    }


def test_paused_workflows_count_only_when_asked_for_and_earlier_versions_never_without_runs():
    paused = make_workflow(definition=GONE, is_active=False)
    replaced = make_workflow(definition=GONE, name="Replaced")
    next_version(replaced, {"schema": 1, "steps": [{"id": "say", "uses": "log", "with": {"message": "x"}}]})

    assert validate() == "All 1 version in use are fine.\n"
    with pytest.raises(CommandError, match=r"^1 of 2 versions"):
        validate(all=True)
    assert paused.is_active is False


def test_health_names_the_workflows_that_cannot_run():
    make_workflow()
    assert _component() == {"name": "workflows", "is_up": True, "is_needed": False, "note": "1 version in use"}

    for number in range(7):
        make_workflow(definition=GONE, name=f"Broken {number}")

    found = _component()
    assert found["is_up"] is False
    assert found["note"] == (
        "acme: Broken 0 1.0.0, acme: Broken 1 1.0.0, acme: Broken 2 1.0.0, acme: Broken 3 1.0.0, "
        "acme: Broken 4 1.0.0 and 2 more cannot run in this release. `manage.py validate_workflows` says why."
    )


def _component():
    return next(part for part in health.report()["components"] if part["name"] == "workflows")


def test_a_version_is_read_once_in_a_process(django_assert_num_queries):
    make_workflow()

    with django_assert_num_queries(2):
        soundness.survey()
    with django_assert_num_queries(1):
        soundness.survey()
