"""How notice rules and their deliveries look in the API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rest_framework import serializers

from automation.api import round_trip
from automation.engine.notices import EVENTS
from automation.models import DeliveryState, NoticeChannel, NoticeDelivery, NoticeRule, NoticeScope
from automation.services import notices
from automation.services.notices import MEMBERS, SavedRule

Json = Any

_ID = {"type": "string", "format": "uuid", "maxLength": 36}
_TIME = {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$", "x-hint": "hours and minutes: 22:00"}

# What a request may say; also the request schema of the OpenAPI document.
FIELDS: dict[str, Json] = {
    "name": {"type": "string", "minLength": 1, "maxLength": 200, "examples": ["Orders to operations"]},
    "is_active": {"type": "boolean", "default": True},
    "scope": {"enum": NoticeScope.values, "default": "all", "description": "Which workflows it watches."},
    "tag": {"type": "string", "maxLength": 200, "default": "", "description": "With scope `tag`."},
    "workflow_ids": {
        "type": "array",
        "maxItems": 200,
        "default": [],
        "items": _ID,
        "description": "With scope `workflows`.",
    },
    "events": {
        "type": "array",
        "minItems": 1,
        "maxItems": 20,
        "items": {"enum": list(EVENTS)},
        "examples": [["first_failure", "still_failing", "recovered"]],
    },
    "channel": {"enum": NoticeChannel.values},
    "recipients": {
        "type": "array",
        "maxItems": 50,
        "default": [],
        "items": {"type": "string", "minLength": 1, "maxLength": 254},
        "description": "With channel `email`: addresses, `user:<name>`, `role:<role>`, `group:<name>`.",
        "examples": [["role:operator", "ops@example.com"]],
    },
    "url": {"type": "string", "maxLength": 2000, "default": "", "description": "With channel `webhook`."},
    "start_workflow_id": {
        "anyOf": [_ID, {"type": "null"}],
        "default": None,
        "description": "With channel `workflow`: the one that is started with the input `notice`.",
    },
    "repeat_minutes": {
        "type": "integer",
        "minimum": 1,
        "maximum": 10_080,
        "default": 60,
        "description": "What repeats is told at most this often, with a count.",
    },
    "slow_seconds": {
        "anyOf": [{"type": "integer", "minimum": 1, "maximum": 31_536_000}, {"type": "null"}],
        "default": None,
        "description": "With `run_slow`: runs that took longer are slow.",
    },
    "max_per_hour": {
        "type": "integer",
        "minimum": 1,
        "maximum": 1000,
        "default": 20,
        "description": "Notices within an hour; the rest of them comes as one.",
    },
    "quiet_hours": {
        "anyOf": [
            {
                "type": "object",
                "properties": {
                    "from": _TIME,
                    "until": _TIME,
                    "timezone": {"type": "string", "maxLength": 64, "default": "UTC"},
                },
                "required": ["from", "until"],
                "additionalProperties": False,
            },
            {"type": "null"},
        ],
        "default": None,
        "description": "Notices of these hours are sent when they are over.",
        "examples": [{"from": "22:00", "until": "06:00", "timezone": "Europe/Berlin"}],
    },
}
MOVING = frozenset({"updated_at", "mutes", "secret"})  # sending an older one back says nothing


class QuietHoursShape(serializers.Serializer[Any]):
    """When notices are held back."""

    until = serializers.CharField()
    timezone = serializers.CharField()

    def get_fields(self) -> dict[str, Any]:
        """`from` is a word of Python."""
        return {"from": serializers.CharField(), **super().get_fields()}


class MuteShape(serializers.Serializer[Any]):
    """A silence that lasts."""

    workflow_id = serializers.UUIDField(allow_null=True, help_text="null: the whole rule is silent.")
    until = serializers.DateTimeField()


class NoticeShape(serializers.Serializer[Any]):
    """A notice rule: who is told what, of which workflows."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    is_active = serializers.BooleanField()
    scope = serializers.ChoiceField(NoticeScope.values)
    tag = serializers.CharField(allow_blank=True)
    workflow_ids = serializers.ListField(child=serializers.UUIDField())
    events = serializers.ListField(child=serializers.ChoiceField(EVENTS))
    channel = serializers.ChoiceField(NoticeChannel.values)
    recipients = serializers.ListField(child=serializers.CharField())
    url = serializers.CharField(allow_blank=True)
    start_workflow_id = serializers.UUIDField(allow_null=True)
    repeat_minutes = serializers.IntegerField()
    slow_seconds = serializers.IntegerField(allow_null=True)
    max_per_hour = serializers.IntegerField()
    quiet_hours = QuietHoursShape(allow_null=True)
    mutes = MuteShape(many=True)
    created_by = serializers.UUIDField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class SavedNoticeShape(NoticeShape):
    """A rule whose secret may have been made now."""

    secret = serializers.CharField(
        required=False, help_text="Signs the webhook (Standard Webhooks). In the answer that made it only."
    )


class DeliveryShape(serializers.Serializer[Any]):
    """One message to one receiver."""

    id = serializers.UUIDField(help_text="Also its Message-ID and its webhook-id.")
    notice_id = serializers.UUIDField(help_text="The same for all receivers of one notice.")
    event = serializers.CharField()
    channel = serializers.ChoiceField(NoticeChannel.values)
    address = serializers.CharField(allow_blank=True, help_text="Of a mail.")
    workflow_id = serializers.UUIDField(allow_null=True)
    is_test = serializers.BooleanField()
    state = serializers.ChoiceField(DeliveryState.values)
    attempts = serializers.IntegerField()
    next_at = serializers.DateTimeField(allow_null=True, help_text="When it is tried (again); null when it is over.")
    last_error = serializers.CharField(allow_blank=True)
    content = serializers.DictField(help_text="What it says.")
    created_at = serializers.DateTimeField()
    sent_at = serializers.DateTimeField(allow_null=True)


class TestShape(serializers.Serializer[Any]):
    """What became of a test."""

    is_sent = serializers.BooleanField(help_text="True when every receiver took it.")
    deliveries = DeliveryShape(many=True)


def one(rule: NoticeRule) -> dict[str, Json]:
    """One rule."""
    mutes = [{"workflow_id": mute.workflow_id, "until": mute.until} for mute in rule.mutes.all()]
    tail = {"created_by": rule.created_by_id, "created_at": rule.created_at, "updated_at": rule.updated_at}
    said = notices.facts(rule)
    return {"id": rule.id, **{name: said[name] for name in MEMBERS}, "mutes": mutes, **tail}


def saved(answer: SavedRule) -> dict[str, Json]:
    """One rule, with the secret that is shown this once."""
    return {**one(answer.rule), **({"secret": answer.secret} if answer.secret else {})}


def deliveries(rows: Iterable[NoticeDelivery]) -> list[dict[str, Json]]:
    """Deliveries of a page."""
    return [delivery(row) for row in rows]


def delivery(row: NoticeDelivery) -> dict[str, Json]:
    """One delivery."""
    same = ("id", "event", "channel", "address", "workflow_id", "is_test", "state", "attempts", "last_error")
    times = {name: getattr(row, name) for name in ("content", "created_at", "sent_at")}
    next_at = row.next_at if row.state == DeliveryState.PENDING else None
    return {**{name: getattr(row, name) for name in same}, "notice_id": row.notice, "next_at": next_at, **times}


def without_sent_back(body: Json, shown: Mapping[str, Json]) -> Json:
    """The body of a client that sends back what it read, without the members that it cannot set."""
    if isinstance(body, dict):
        body = {name: value for name, value in body.items() if name not in MOVING}
    return round_trip.without_sent_back(body, shown, settable=FIELDS)
