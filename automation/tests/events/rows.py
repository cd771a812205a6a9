"""Triggers that listen, events that are published, and what became of both."""

from __future__ import annotations

from django.db import connection, transaction

from automation.engine.cloud_events import CloudEvent
from automation.models import EventDelivery, QueuedEvent, Run, Trigger
from automation.services.event_deliveries import deliver_some
from automation.services.event_dispatch import dispatch_some
from automation.store import events
from automation.tests.triggers.rows import DEFINITION, make_workflow

SHOP = "https://shop.example.com"


def listen(type_="order.*", *, workflow=None, definition=DEFINITION, name="Report", **config):
    """A trigger that wants events; other fields of its config by keyword."""
    workflow = workflow or make_workflow(definition=definition, name=name)
    return Trigger.objects.create(
        workspace=workflow.workspace, workflow=workflow, kind="event", config={"type": type_, **config}
    )


def said(type_="order.paid", data=None, *, id="", source=SHOP, **attributes):
    return CloudEvent(type=type_, source=source, id=id, data=data, **attributes)


def publish(workspace, event, **how):
    """Publish in a transaction of its own; `how` as of the store."""
    with transaction.atomic(), connection.cursor() as cursor:
        return events.publish(cursor, workspace.id, event, **how)


def settle():
    """Tell and deliver until nothing is left that is due."""
    while dispatch_some() + deliver_some():
        pass


def runs_of(trigger):
    return list(Run.objects.filter(trigger_id=trigger.id).select_related("data").order_by("id"))


def items_of(trigger):
    """The data that the runs of a trigger saw, in their order."""
    return [run.data.input["trigger"]["item"] for run in runs_of(trigger)]


def went(trigger):
    """`(state, code)` of a trigger's deliveries in the order of the events."""
    return list(EventDelivery.objects.filter(trigger=trigger).order_by("position").values_list("state", "code"))


def queued():
    return QueuedEvent.objects.count()
