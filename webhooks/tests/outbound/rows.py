"""Subscriptions, and events that the bus brings them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now

from automation.engine.cloud_events import CloudEvent
from automation.services import event_listeners
from automation.services.event_dispatch import dispatch_some
from automation.services.event_listeners import Heard
from automation.store import events
from automation.store.events import BusEvent
from brainops.accounts.models import Workspace
from brainops.core import clock
from brainops.core.standard_webhooks import new_secret
from webhooks import event_patterns
from webhooks.models import OutboundDelivery, Subscription
from webhooks.services import outbound_intake
from webhooks.services.outbound_sending import send_next

AT = "2026-11-23T09:00:00Z"
URL = "https://hooks.example.com/x"
NOWHERE = "00000000-0000-4000-8000-000000000000"


def subscribe(
    home: Workspace, url: str, *types: str, headers: dict[str, str] | None = None, **values: Any
) -> Subscription:
    """A subscription that hears of events, as the service makes one."""
    named = list(types or ("*",))
    if headers:
        values |= {"headers": orjson.dumps(headers).decode(), "header_names": list(headers)}
    made = Subscription.objects.create(workspace=home, url=url, types=named, **{"secret": new_secret(), **values})
    if made.is_active:
        wanted = event_patterns.wishes(named)
        event_listeners.want(outbound_intake.LISTENER, made.id, workspace_id=home.id, types=wanted)
    return made


def publish(home: Workspace, type_: str = "order.paid", data: Any = None) -> UUID:
    """An event of the workspace, told to whoever listens."""
    said = CloudEvent(type=type_, source="https://shop.example.com", time=AT, data=data or {"order": 7})
    with connection.cursor() as cursor:
        made = events.publish(cursor, home.id, said)
    dispatch_all()
    return made.id


def dispatch_all() -> None:
    while dispatch_some():
        pass


def bring(home: Workspace, holders: Iterable[UUID], type_: str = "order.paid", **values: Any) -> BusEvent:
    """An event brought to some subscriptions, without the bus."""
    said = CloudEvent(type=type_, source="x", id="1", time=AT, data=values.pop("data", {"order": 7}))
    event = BusEvent(values.pop("id", uuid4()), home.id, said, 0, values.pop("run_uid", None), "", clock.now())
    with connection.cursor() as cursor:
        outbound_intake.take(cursor, [Heard(event, 1, tuple(holders))])
    return event


def put(subscription: Subscription, **values: Any) -> OutboundDelivery:
    """A delivery that is due."""
    usual = {
        "workspace_id": subscription.workspace_id,
        "event_id": str(uuid4()),
        "type": "order.paid",
        "body": {"type": "order.paid", "timestamp": AT, "data": {"order": 7}},
        "ends_at": clock.now() + timedelta(days=1),
    }
    return OutboundDelivery.objects.create(subscription=subscription, **{**usual, **values})


def send_all() -> int:
    count = 0
    while send_next():
        count += 1
    return count


def come_back() -> None:
    """Let the pauses before the next attempts have passed."""
    OutboundDelivery.objects.filter(state="pending").update(next_at=Now())
    Subscription.objects.update(held_until=None)


def pass_time(**span: float) -> None:
    """Move every instant that the sender goes by into the past: as if so much time had passed."""
    passed = timedelta(**span)
    OutboundDelivery.objects.update(next_at=F("next_at") - passed, ends_at=F("ends_at") - passed)
    OutboundDelivery.objects.exclude(sending_until=None).update(sending_until=F("sending_until") - passed)
    Subscription.objects.exclude(held_until=None).update(held_until=F("held_until") - passed)
    Subscription.objects.exclude(failing_since=None).update(failing_since=F("failing_since") - passed)


def problems(response: Any) -> list[tuple[str, str]]:
    """Code and place of everything that a request was refused for."""
    assert response.status_code == 400, response.content
    return [(one["code"], one.get("pointer", "")) for one in response.json()["problems"]]
