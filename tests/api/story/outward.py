"""Addresses outside that hear of what happens here."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from brainops.accounts.models import Workspace
from brainops.core import clock
from tests.api.story.people import in_days
from tests.api.story.teller import Voice
from webhooks.models import OutboundDelivery, Subscription


def subscriptions(ada: Voice, home: Workspace) -> None:
    """A subscription, what it was sent, and sending it again."""
    url = "https://hooks.example.com/brainops"
    body = {"description": "Status page", "url": url, "types": ["run.failed", "workflow.*"], "tags": ["orders"]}
    made = ada.ask("subscriptions_create", {**body, "headers": {"Authorization": "Bearer for-the-status-page"}})["id"]
    ada.ask("subscriptions_list")
    ada.ask("subscriptions_retrieve", id=made)
    ada.ask("subscriptions_update", body, id=made)
    for kind in ("application/json", "application/merge-patch+json"):
        ada.ask("subscriptions_partial_update", {"max_parallel": 2}, id=made, kind=kind)
        ada.ask("subscriptions_rotate_create", {"grace_seconds": 3600}, id=made, kind=kind)
    failed = _failed_delivery(home, made)
    ada.ask("subscriptions_deliveries_list", id=made, query={"state": "failed"})
    ada.ask("subscriptions_deliveries_retrieve", id=made, delivery_id=failed)
    ada.ask("subscriptions_deliveries_redeliver_create", {}, id=made, delivery_id=failed)
    OutboundDelivery.objects.update(state="failed")
    ada.ask("subscriptions_replay_create", {"since": in_days(-1), "per_minute": 60}, id=made)
    ada.ask("subscriptions_destroy", id=made)


def _failed_delivery(home: Workspace, subscription: str) -> Any:
    at, said = clock.now(), "The receiver answered 500: down for maintenance"
    Subscription.objects.update(held_until=at + timedelta(days=1))  # nothing is really sent
    body = {"type": "brainops.run.failed", "timestamp": at.isoformat(), "data": {"status": "failed"}}
    told = {"event_id": str(uuid4()), "type": body["type"], "body": body, "state": "failed", "attempts": 31}
    made = OutboundDelivery.objects.create(
        workspace=home, subscription_id=subscription, ends_at=at, last_error=said, **told
    )
    made.tries.create(began_at=at, duration_ms=84, status=500, answer="down for maintenance")
    return made.id
