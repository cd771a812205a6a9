"""Rows that tests of triggers start from."""

from datetime import timedelta

from django.db.models.functions import Now

from automation.models import Trigger, Workflow, WorkflowVersion
from brainops.accounts.models import Workspace

DEFINITION = {"schema": 1, "steps": [{"id": "say", "uses": "log", "with": {"message": "hello"}}]}


def make_workspace(slug="acme"):
    return Workspace.objects.get_or_create(slug=slug, defaults={"name": slug.title()})[0]


def make_workflow(*, workspace=None, definition=DEFINITION, is_active=True, name="Report", **fields):
    workspace = workspace or make_workspace()
    workflow = Workflow.objects.create(
        workspace=workspace, name=name, definition=definition, is_active=is_active, **fields
    )
    workflow.current_version = WorkflowVersion.objects.create(
        workspace=workspace,
        workflow=workflow,
        ordinal=1,
        number="1.0.0",
        name=name,
        definition=definition,
        checksum="0" * 64,
    )
    workflow.save()
    return workflow


def make_schedule(workflow=None, *, cron="* * * * *", missed="last", timezone="UTC", due=None, config=None, **fields):
    """A schedule; `due` is when it fires next, on the database's clock: a timedelta from now, or an instant.

    `config` is added to the config; one with an interval or a single time has no cron expression.
    """
    rhythm = {} if {"interval", "at"} & set(config or {}) else {"cron": cron}
    workflow = workflow or make_workflow()
    trigger = Trigger.objects.create(
        workspace=workflow.workspace,
        workflow=workflow,
        kind="schedule",
        config={**rhythm, "timezone": timezone, "missed": missed, **(config or {})},
        **fields,
    )
    if due is not None:
        Trigger.objects.filter(id=trigger.id).update(next_fire_at=Now() + due if isinstance(due, timedelta) else due)
        trigger.refresh_from_db()
    return trigger
