"""How a trigger looks in the API."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from rest_framework import serializers

from automation.api import round_trip
from automation.models import Trigger
from automation.services import triggers
from automation.services.conditions import LONGEST
from automation.services.documents import canonical
from automation.services.trigger_checks import NAME_CHARACTERS
from automation.services.triggers import SavedTrigger
from brainops.core.api.etag import entity_tag

Json = Any

# What a request may say; also the request schema of the OpenAPI document.
FIELDS: dict[str, Json] = {
    "name": {"type": "string", "maxLength": NAME_CHARACTERS, "default": "", "examples": ["Every working day"]},
    "config": {
        "type": "object",
        "description": "Checked by the kind. Of a schedule: cron, timezone, missed. Of a webhook: scheme, answer, …",
        "examples": [{"cron": "0 9 * * 1-5", "timezone": "Europe/Berlin"}],
    },
    "inputs": {"type": "object", "default": {}, "description": "Fixed inputs of the runs it starts."},
    "condition": {
        "type": "string",
        "maxLength": LONGEST,
        "default": "",
        "description": "Run only if it holds: one expression over `trigger`, `inputs` and `vars`. Empty: always.",
        "examples": ["{{ trigger.item.total > 100 }}"],
    },
    "is_active": {"type": "boolean", "default": True},
}
IDENTITY: dict[str, Json] = {
    "workflow_id": {"type": "string", "format": "uuid", "x-hint": "the id of a workflow"},
    "kind": {"type": "string", "maxLength": 50, "examples": ["schedule", "webhook"]},
}
# These change by themselves between reading and writing, so sending an older one back says nothing.
MOVING = frozenset({"next_fire_at", "last_fired_at", "updated_at", "schedule", "webhook", "file"})


class TriggerShape(serializers.Serializer[Any]):
    """A trigger. What only its kind has stands in a member that is called like the kind."""

    id = serializers.UUIDField()
    workflow_id = serializers.UUIDField()
    kind = serializers.CharField()
    name = serializers.CharField()
    config = serializers.DictField(help_text="With every default filled in; without secrets.")
    inputs = serializers.DictField()
    condition = serializers.CharField(help_text="Run only if it holds; empty: always.")
    is_active = serializers.BooleanField()
    next_fire_at = serializers.DateTimeField(allow_null=True)
    last_fired_at = serializers.DateTimeField(allow_null=True, help_text="The newest slot that was decided.")
    created_by = serializers.UUIDField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    schedule = serializers.DictField(
        required=False, help_text="The expression in words, and the next ten fire times on the schedule's clock."
    )
    webhook = serializers.DictField(
        required=False, help_text="The address to send to. A generated secret, in the answer that made it only."
    )
    file = serializers.DictField(required=False, help_text="Where the files are, in one line.")


def one(saved: SavedTrigger) -> dict[str, Json]:
    """One trigger, with what is shown this once."""
    return {**many([saved.trigger])[0], **saved.shown_once}


def many(rows: Iterable[Trigger]) -> list[dict[str, Json]]:
    """Triggers of a page."""
    page = list(rows)
    details = triggers.described(page)
    return [{**_columns(row), **details.get(row.id, {})} for row in page]


def state_of(row: Trigger) -> str:
    """What If-Match is about: all that people set. Fire times move by themselves and are no part of it."""
    said = {name: getattr(row, name) for name in triggers.SETTABLE}
    return hashlib.sha256(canonical(said)).hexdigest()[:16]


def tag_of(row: Trigger, shown: Mapping[str, Json]) -> str:
    """The ETag: the state, and behind a dot what else is shown of it now."""
    return entity_tag(f"{state_of(row)}.{hashlib.sha256(canonical(shown)).hexdigest()[:8]}")


def without_sent_back(body: Json, shown: Mapping[str, Json]) -> Json:
    """The body of a client that sends back what it read, without the members that it cannot set."""
    if isinstance(body, dict):
        body = {name: value for name, value in body.items() if name not in MOVING}
    return round_trip.without_sent_back(body, shown, settable={*FIELDS, *IDENTITY})


def _columns(row: Trigger) -> dict[str, Json]:
    same = ("id", "workflow_id", "kind", *triggers.SETTABLE, "next_fire_at", "last_fired_at")
    return {
        **{name: getattr(row, name) for name in same},
        "created_by": row.created_by_id,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }
