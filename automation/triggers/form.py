"""Form: starts a run when somebody fills in a page that this installation shows, made from the workflow's inputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings

from automation.engine.problem import Problem
from automation.engine.wording import quoted
from automation.triggers.contract import Config, Json, TriggerKind, TriggerRow

DEFAULTS: Mapping[str, Json] = {
    "description": "",
    "button": "Send",
    "thanks": "Thank you. It was sent.",
    "min_seconds": 2,
    "per_hour": 20,
}


def check(config: Config) -> Iterator[Problem]:
    """Refuse an address that is none, and an end without a time zone."""
    if "continue_url" in config and not _is_address(config["continue_url"]):
        said = f'"continue_url" must begin with https:// or http://, got {quoted(config["continue_url"])}.'
        yield Problem("invalid_url", said, "/continue_url")
    if "closes_at" in config and closes_at(config) is None:
        what = "a time with an offset such as 2026-12-24T18:00:00+01:00"
        said = f'"closes_at" must be {what}, got {quoted(config["closes_at"])}.'
        yield Problem("invalid_time", said, "/closes_at")


def closes_at(config: Config) -> datetime | None:
    """When the form closes; None for never, and for what is no instant."""
    try:
        found = datetime.fromisoformat(config["closes_at"])
    except (KeyError, ValueError):
        return None
    return found if found.tzinfo is not None else None


def complete(config: Config) -> Config:
    """Fill in the defaults, so that the stored config says everything."""
    return {**DEFAULTS, **config}


def describe(triggers: Sequence[TriggerRow]) -> Mapping[UUID, Mapping[str, Json]]:
    """The address of the page."""
    return {trigger.id: {"form": {"url": url_of(trigger.id)}} for trigger in triggers}


def url_of(trigger_id: UUID) -> str:
    """Where the form is: its trigger's id has 122 random bits."""
    return f"{settings.BRAINOPS_PUBLIC_URL}/forms/{trigger_id}"


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username


KIND = TriggerKind(
    key="form",
    title="Form",
    description="Starts a run when somebody fills in a page made from the workflow's inputs. No login is asked for.",
    icon="edit_note",
    config_schema={
        "type": "object",
        "required": ["title"],
        "additionalProperties": False,
        "properties": {
            "title": {
                "type": "string",
                "title": "Title",
                "minLength": 1,
                "maxLength": 200,
                "examples": ["Order paper"],
            },
            "description": {
                "type": "string",
                "title": "Description",
                "description": "Plain text above the fields.",
                "maxLength": 5000,
                "default": "",
            },
            "fields": {
                "type": "array",
                "title": "Fields",
                "description": "The inputs to ask for, in this order. Left out: all, those that are required first.",
                "items": {"type": "string", "maxLength": 200},
                "uniqueItems": True,
                "minItems": 1,
                "maxItems": 50,
                "examples": [["mail", "count"]],
            },
            "button": {"type": "string", "title": "Button", "minLength": 1, "maxLength": 60, "default": "Send"},
            "thanks": {
                "type": "string",
                "title": "Thanks",
                "description": "What the page says afterwards.",
                "minLength": 1,
                "maxLength": 2000,
                "default": DEFAULTS["thanks"],
            },
            "continue_url": {
                "type": "string",
                "title": "Continue at",
                "description": "Where a link leads afterwards.",
                "maxLength": 2000,
                "examples": ["https://www.example.com/"],
            },
            "closes_at": {
                "type": "string",
                "title": "Closes at",
                "maxLength": 40,
                "examples": ["2026-12-24T18:00:00+01:00"],
            },
            "min_seconds": {
                "type": "integer",
                "title": "Seconds that a person takes at least",
                "description": "What is sent sooner has to be sent once more: programs are quick.",
                "minimum": 0,
                "maximum": 60,
                "default": 2,
            },
            "per_hour": {
                "type": "integer",
                "title": "Times an hour from one network",
                "minimum": 1,
                "maximum": 10000,
                "default": 20,
            },
        },
    },
    check=check,
    complete=complete,
    describe=describe,
    listens=True,
    examples=(
        {"title": "Order paper"},
        {"title": "Report a fault", "thanks": "We will look at it.", "closes_at": "2026-12-24T18:00:00+01:00"},
    ),
)
