"""Rows that tests of e-mail triggers start from, and how they look at a mailbox."""

from __future__ import annotations

from typing import Any

from django.db.models.functions import Now

from automation.models import Arrival, Run, Secret, Source, Trigger
from automation.services import sources, triggers
from automation.tests.triggers.rows import DEFINITION, make_workflow
from brainops.accounts.caller import system_caller
from webhooks.mail.models import MailAddress
from webhooks.mail.tests.imap_server import PASSWORD, MailUser


def make_trigger(config: dict[str, Any], *, definition: Any = DEFINITION, workflow: Any = None) -> Trigger:
    """An e-mail trigger, saved as the API saves it."""
    workflow = workflow or make_workflow(definition=definition)
    caller = system_caller(workflow.workspace_id, label="test")
    return triggers.create(caller, workflow_id=workflow.id, kind="email", config=config).trigger


def watch(user: MailUser, *, definition: Any = DEFINITION, first: str = "all", **config: Any) -> Trigger:
    """A trigger that reads the user's mailbox; `config` are settings of the mailbox, and of the trigger beside it."""
    beside = {name: config.pop(name) for name in ("from", "subject_contains", "ignore", "max_bytes") if name in config}
    workflow = make_workflow(definition=definition)
    if not Secret.objects.filter(workspace=workflow.workspace, name="mailbox").exists():
        Secret.objects.create(workspace=workflow.workspace, name="mailbox", value=PASSWORD)
    mailbox = {
        "host": "127.0.0.1",
        "port": user.server.port,
        "security": "none",
        "username": user.name,
        "password_secret": "mailbox",
        "first": first,
        **config,
    }
    return make_trigger({"mailbox": mailbox, **beside}, workflow=workflow)


def source_of(trigger: Trigger) -> Source:
    return Source.objects.get(trigger=trigger)


def look_once(trigger: Trigger) -> None:
    """One look, as the poller of a worker does it."""
    Source.objects.filter(trigger=trigger).update(next_at=Now())
    held = sources.claim()
    assert held is not None
    sources.look(held)


def items_of(trigger: Trigger) -> list[dict[str, Any]]:
    """What the runs of a trigger see, in the order in which they were started."""
    return [run.data.input["trigger"]["item"] for run in Run.objects.filter(trigger_id=trigger.id).order_by("id")]


def subjects(trigger: Trigger) -> list[str]:
    return [item["subject"] for item in items_of(trigger)]


def ledger(trigger: Trigger) -> dict[str, tuple[str, str]]:
    """`{key: (decision, reason)}`."""
    rows = Arrival.objects.filter(trigger=trigger)
    return {row.key: (row.get_decision_display(), row.reason) for row in rows}


def receive(*, definition: Any = DEFINITION, **config: Any) -> tuple[Trigger, str]:
    """A trigger with an address of its own, and the address."""
    trigger = make_trigger({"address": True, **config}, definition=definition)
    return trigger, MailAddress.objects.get(trigger=trigger).address
