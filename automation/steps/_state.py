"""What the kinds of the key-value store share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from automation.engine.kinds import Done, LogLine

Json = Any

KEY: dict[str, Json] = {
    "title": "Key",
    "description": "The name of the value in the workspace: 1 to 200 characters without white space.",
    "type": "string",
    "minLength": 1,
    "maxLength": 200,
    "examples": ["last_order", "seen:{{ inputs.order_id }}"],
}
VALUE: dict[str, Json] = {
    "title": "Value",
    "description": "What the key shall hold: any JSON value.",
    "examples": ["{{ steps.order.output.body.id }}", {"at": "{{ run.started_at }}"}],
}
WRITTEN: dict[str, Json] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["value", "version", "is_set"],
    "properties": {
        "value": {"title": "What the key holds now"},
        "version": {"title": "How often it changed, 0 when it holds nothing", "type": "integer"},
        "is_set": {"title": "Whether it was set; false when it did not hold what was expected", "type": "boolean"},
    },
}


def config_schema(required: tuple[str, ...], properties: Mapping[str, Json]) -> dict[str, Json]:
    """The schema of a `with`."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(required),
        "properties": dict(properties),
    }


def would(what: str, output: Json) -> Done:
    """The outcome of a dry run."""
    return Done(output, logs=(LogLine("info", f"Would {what}."),))
