"""Rows and items that tests of arrivals start from."""

from __future__ import annotations

from django.db import connection, transaction

from automation.models import Arrival, Run, Trigger
from automation.services.arrivals import listening, take
from automation.tests.triggers.rows import DEFINITION, make_workflow
from automation.triggers.contract import Item

WITH_INPUTS = {
    **DEFINITION,
    "inputs": {"type": "object", "properties": {"total": {"type": "integer"}}, "required": ["total"]},
}


def make_trigger(workflow=None, *, kind="inbox", config=None, definition=DEFINITION, **fields):
    workflow = workflow or make_workflow(definition=definition)
    return Trigger.objects.create(
        workspace=workflow.workspace, workflow=workflow, kind=kind, config=config or {}, **fields
    )


def items(*keys, **data):
    return [Item(key, {"name": key, **data}) for key in keys]


def bring(trigger, things, **how):
    """Take things in a transaction of their own, as a listener does."""
    with transaction.atomic(), connection.cursor() as cursor:
        (heard,) = listening(cursor, [trigger.id])
        return take(cursor, heard, things, **how)


def ledger(trigger):
    """`{key: decision}` of a trigger."""
    return {row.key: row.get_decision_display() for row in Arrival.objects.filter(trigger=trigger)}


def runs_of(trigger):
    return list(Run.objects.filter(trigger_id=trigger.id).order_by("id"))
