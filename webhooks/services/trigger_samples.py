"""What the trigger of a webhook is tried with: a delivery that came, or a body that somebody gives."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q

from automation.triggers.contract import Sample, TriggerRow
from brainops.core import clock
from webhooks.event_ids import new_event_id
from webhooks.models import EventVerdict, WebhookEndpoint, WebhookEvent
from webhooks.services import rows
from webhooks.services.judging import given_by
from webhooks.services.outcomes import Genuine
from webhooks.services.parts import FilePart
from webhooks.services.replays import HANDSHAKE, contents_of
from webhooks.services.states import EndpointState, load
from webhooks.store.event import NewEvent

Json = Any
MOST_LOOKED_AT = 20  # newest deliveries, for one that can serve


def captured(trigger: TriggerRow, event_id: UUID | None) -> Sample | None:
    """The delivery of that id, or the newest one whose sender had proven itself and that is kept whole."""
    endpoint = WebhookEndpoint.objects.filter(trigger_id=trigger.id).first()
    if endpoint is None:
        return None
    proven = ~Q(verdict=EventVerdict.REJECTED) | Q(is_verified=True)
    known = WebhookEvent.objects.filter(proven, endpoint=endpoint).exclude(reason=HANDSHAKE)
    if event_id is not None:
        event = known.filter(id=event_id).first()
    else:
        newest = known.order_by("-received_at", "-id")[:MOST_LOOKED_AT]
        event = next((one for one in newest if not one.is_truncated), None)
    if event is None or event.is_truncated:
        return None
    state = load(endpoint.id)
    seen = contents_of(state, event, FilePart.outline).trigger
    return Sample(seen, _given(state, seen), event.id, event.received_at)


def given(trigger: TriggerRow, data: Json) -> Sample:
    """A delivery with this body, as if a sender had signed it."""
    endpoint = WebhookEndpoint.objects.get(trigger_id=trigger.id)
    event = NewEvent(
        id=new_event_id(),
        verdict=EventVerdict.ACCEPTED,
        status=202,
        delivery_id=None,
        headers={},
        query={},
        body=b"",
        size_bytes=0,
        remote_addr=None,
        content_type="application/json",
        is_test=True,
    )
    types = endpoint.event_types
    seen = rows.trigger_scope(event, Genuine(None, types[0] if types else "", data, {}), clock.now())
    return Sample(seen, _given(load(endpoint.id), seen))


def _given(state: EndpointState, seen: Json) -> Json:
    body = seen.get("body")
    return given_by(state, body, seen.get("path") or {}, (seen.get("query") or {}) if body is None else {})
