"""How subscriptions and their deliveries look in the API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rest_framework import serializers

from automation.api import round_trip
from automation.models import DeliveryState
from brainops.core import clock
from brainops.core.redact import MASK
from webhooks import event_patterns
from webhooks.models import OffReason, OutboundAttempt, OutboundDelivery, Subscription
from webhooks.services import subscriptions
from webhooks.services.subscription_checks import LONGEST_VALUE, MOST_HEADERS
from webhooks.services.subscriptions import MEMBERS, SavedSubscription

Json = Any

# What a request may say; also the request schema of the OpenAPI document.
FIELDS: dict[str, Json] = {
    "description": {"type": "string", "maxLength": 200, "default": ""},
    "url": {"type": "string", "minLength": 1, "maxLength": 2000, "examples": ["https://hooks.example.com/brainops"]},
    "types": {
        "type": "array",
        "minItems": 1,
        "maxItems": 50,
        "items": {"type": "string", "minLength": 1, "maxLength": event_patterns.LONGEST},
        "description": "Types of events, all of a kind (`run.*`), or `*`. `brainops.` may be left out.",
        "examples": [["run.failed", "workflow.*", "order.paid"]],
    },
    "workflow_ids": {
        "type": "array",
        "maxItems": 200,
        "default": [],
        "items": {"type": "string", "format": "uuid", "maxLength": 36},
        "description": "Only events about these workflows, or about workflows with one of `tags`.",
    },
    "tags": {
        "type": "array",
        "maxItems": 50,
        "default": [],
        "items": {"type": "string", "minLength": 1, "maxLength": 200},
        "description": "Only events about workflows with one of these tags, or about `workflow_ids`.",
    },
    "is_active": {"type": "boolean", "default": True, "description": "Off: it hears of nothing."},
    "headers": {
        "type": "object",
        "maxProperties": MOST_HEADERS,
        "default": {},
        "additionalProperties": {"type": "string", "maxLength": LONGEST_VALUE},
        "description": f"Sent with each delivery. Values are stored encrypted and shown as {MASK}; sent back, that "
        "stands for the stored one.",
        "examples": [{"Authorization": "Bearer …"}],
    },
    "max_parallel": {
        "type": "integer",
        "minimum": 1,
        "maximum": 10,
        "default": 4,
        "description": "Deliveries under way at once.",
    },
}
# moves by itself or is shown once: sending an older one back says nothing
MOVING = frozenset(
    {"updated_at", "secret", "off_reason", "off_at", "failures", "failing_since", "held_until", "rotated_at"}
    | {"previous_secret_valid_until"}
)


class SubscriptionShape(serializers.Serializer[Any]):
    """An address outside that hears of events."""

    id = serializers.UUIDField()
    description = serializers.CharField(allow_blank=True)
    url = serializers.CharField()
    types = serializers.ListField(child=serializers.CharField())
    workflow_ids = serializers.ListField(child=serializers.UUIDField())
    tags = serializers.ListField(child=serializers.CharField())
    is_active = serializers.BooleanField()
    headers = serializers.DictField(child=serializers.CharField(), help_text="Names; the values are masked.")
    max_parallel = serializers.IntegerField()
    off_reason = serializers.ChoiceField(
        OffReason.values,
        allow_null=True,
        help_text="Why it is off: somebody, the receiver's 410, or days of failures. null: it is on.",
    )
    off_at = serializers.DateTimeField(allow_null=True)
    failures = serializers.IntegerField(help_text="Failed attempts since the last one that arrived.")
    failing_since = serializers.DateTimeField(allow_null=True)
    held_until = serializers.DateTimeField(allow_null=True, help_text="Nothing is sent before.")
    previous_secret_valid_until = serializers.DateTimeField(
        allow_null=True, help_text="Until when the secret before the last rotation signs as well."
    )
    rotated_at = serializers.DateTimeField(allow_null=True)
    created_by = serializers.UUIDField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class SavedSubscriptionShape(SubscriptionShape):
    """A subscription whose secret may have been made now."""

    secret = serializers.CharField(
        required=False, help_text="Signs what is sent (Standard Webhooks). In the answer that made it only."
    )


class OutboundDeliveryShape(serializers.Serializer[Any]):
    """One event on its way to one subscription."""

    id = serializers.UUIDField(help_text="Its `webhook-id`, the same in every attempt.")
    event_id = serializers.CharField(help_text="The event of `/events`.")
    type = serializers.CharField()
    workflow_id = serializers.UUIDField(allow_null=True)
    is_test = serializers.BooleanField()
    state = serializers.ChoiceField(DeliveryState.values)
    attempts = serializers.IntegerField(help_text="Since it was last put on its way.")
    next_at = serializers.DateTimeField(
        allow_null=True, help_text="When it is tried (again); null when it is under way or over."
    )
    last_error = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    sent_at = serializers.DateTimeField(allow_null=True)


class AttemptShape(serializers.Serializer[Any]):
    """One try."""

    began_at = serializers.DateTimeField()
    duration_ms = serializers.IntegerField()
    status = serializers.IntegerField(allow_null=True, help_text="What the receiver answered; null: nothing.")
    error = serializers.CharField(allow_blank=True, help_text="Why there was no whole answer.")
    answer = serializers.CharField(allow_blank=True, help_text="The start of the answer, without secrets.")
    next_at = serializers.DateTimeField(allow_null=True, help_text="When it was to be tried again.")


class WholeDeliveryShape(OutboundDeliveryShape):
    """A delivery with what is posted and every try."""

    body = serializers.DictField(help_text="What is posted: type, timestamp, data.")
    tries = AttemptShape(many=True)


class TestedShape(serializers.Serializer[Any]):
    """What became of a test."""

    is_sent = serializers.BooleanField()
    delivery = WholeDeliveryShape()


class ReplayedShape(serializers.Serializer[Any]):
    """What a replay put on its way."""

    count = serializers.IntegerField()
    seconds = serializers.FloatField(help_text="Until the last of them is sent.")
    more = serializers.IntegerField(help_text="Left for another request.")


def one(row: Subscription) -> dict[str, Json]:
    """One subscription."""
    said = subscriptions.facts(row)
    until = row.previous_valid_until
    return {
        "id": row.id,
        **{name: said[name] for name in MEMBERS},
        "off_reason": row.off_reason or None,
        **{name: getattr(row, name) for name in ("off_at", "failures", "failing_since", "held_until")},
        "previous_secret_valid_until": until if until and until > clock.now() else None,
        "rotated_at": row.rotated_at,
        "created_by": row.created_by_id,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }


def saved(answer: SavedSubscription) -> dict[str, Json]:
    """One subscription, with the secret that is shown this once."""
    return {**one(answer.subscription), **({"secret": answer.secret} if answer.secret else {})}


def deliveries(rows: Iterable[OutboundDelivery]) -> list[dict[str, Json]]:
    """Deliveries of a page."""
    return [delivery(row) for row in rows]


def delivery(row: OutboundDelivery) -> dict[str, Json]:
    """One delivery, without its body."""
    same = ("id", "event_id", "type", "workflow_id", "is_test", "state", "attempts")
    is_waiting = row.state == DeliveryState.PENDING and row.sending_until is None
    return {
        **{name: getattr(row, name) for name in same},
        "next_at": row.next_at if is_waiting else None,
        **{name: getattr(row, name) for name in ("last_error", "created_at", "sent_at")},
    }


def whole_delivery(row: OutboundDelivery) -> dict[str, Json]:
    """One delivery with its body and its tries, the first one first."""
    return {**delivery(row), "body": row.body, "tries": [_attempt(made) for made in row.tries.all()]}


def without_sent_back(body: Json, shown: Mapping[str, Json]) -> Json:
    """The body of a client that sends back what it read, without the members that it cannot set."""
    if isinstance(body, dict):
        body = {name: value for name, value in body.items() if name not in MOVING}
    return round_trip.without_sent_back(body, shown, settable=FIELDS)


def _attempt(row: OutboundAttempt) -> dict[str, Json]:
    return {name: getattr(row, name) for name in ("began_at", "duration_ms", "status", "error", "answer", "next_at")}
