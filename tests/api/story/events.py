"""An event that a shop sends, the workflow that it starts, and one that cannot start its workflow."""

from __future__ import annotations

from automation.api.events import EVENT_EXAMPLE
from automation.models import EventDelivery
from tests.api.story.teller import Voice
from tests.api.story.workflows import make
from tests.live import wait_until

SAY = {"id": "say", "uses": "log", "with": {"message": "paid"}}
TOTAL = {"type": "object", "properties": {"customer": {"type": "string"}}, "required": ["customer"]}


def events(ada: Voice) -> None:
    """Sent, looked up, and a dead letter dealt with."""
    for name, more in (("Say that it was paid", {}), ("Greet the customer", {"inputs": TOTAL})):
        flow = make(ada, name, SAY, **more)
        ada.ask("triggers_create", {"workflow_id": flow, "kind": "event", "config": {"type": "order.*"}})
    sent = ada.ask("events_create", EVENT_EXAMPLE, kind="application/cloudevents+json")
    ada.ask("events_create", EVENT_EXAMPLE, kind="application/cloudevents+json")
    ada.ask("events_create", [{**EVENT_EXAMPLE, "id": "2"}], kind="application/cloudevents-batch+json")
    wait_until(lambda: EventDelivery.objects.exclude(state="pending").count() == 4)
    ada.ask("events_list")
    ada.ask("events_retrieve", id=sent["id"])
    letter = ada.ask("event_deliveries_list", query={"state": "dead"})["results"][0]["id"]
    ada.ask("event_deliveries_retrieve", id=letter)
    ada.ask("event_deliveries_discard_create", {}, id=letter)
    ada.ask("event_deliveries_redeliver_create", {}, id=letter)
