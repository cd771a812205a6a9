"""Event: starts a run for each event of the workspace that is of a type, of a source and of data that one asks for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from automation.engine.event_filter import problems
from automation.engine.problem import Problem
from automation.triggers.contract import Config, TriggerKind

MOST_PATTERNS = 20

Json = Any


def _patterns(title: str, description: str, *, longest: int, examples: list[Json]) -> dict[str, Json]:
    """One pattern or a list: a text that must be equal, or one with a star at its end that must be the beginning."""
    one = {"type": "string", "minLength": 1, "maxLength": longest, "pattern": r"^[^*\x00-\x1f]*(\*|[^*\x00-\x1f])$"}
    many = {"type": "array", "items": one, "minItems": 1, "maxItems": MOST_PATTERNS, "uniqueItems": True}
    return {
        "title": title,
        "description": description,
        "anyOf": [one, many],
        "x-hint": "a text, with a star at its end for all that begin like it, "
        f"or a list of 1 to {MOST_PATTERNS} of them",
        "examples": examples,
    }


def check(config: Config) -> Iterator[Problem]:
    """Refuse a filter on data that cannot be one."""
    if "data" in config:
        for problem in problems(config["data"]):
            yield Problem(problem.code, problem.message, f"/data{problem.pointer}")


KIND = TriggerKind(
    key="event",
    title="Event",
    description="Starts a run for each event of the workspace that fits: what a step emitted, what a program sent to "
    "POST /events, or what BrainOps itself says, as brainops.run.failed. The run sees the event's data as "
    "trigger.item, and what is said about it as trigger.event.",
    icon="campaign",
    config_schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["type"],
        "properties": {
            "type": _patterns(
                "Type",
                "The type of the event, or the beginning of it and a star; a list means any of them.",
                longest=200,
                examples=["order.paid", "order.*", ["invoice.sent", "invoice.paid"], "brainops.run.failed"],
            ),
            "source": _patterns(
                "Source",
                "Where the event comes from; a star at the end means whatever begins like it.",
                longest=1000,
                examples=["https://shop.example.com/orders", "/sensors/*"],
            ),
            "subject": _patterns(
                "Subject", "What the event is about, in the same way.", longest=500, examples=["orders/*"]
            ),
            "data": {
                "title": "Data",
                "description": "What the data must be like, as in Amazon EventBridge: names lead to lists of what may "
                "stand there. Operators: prefix, suffix, equals-ignore-case, anything-but, numeric, exists.",
                "type": "object",
                "minProperties": 1,
                "examples": [{"total": [{"numeric": [">", 1000]}], "customer": {"country": ["DE", "AT"]}}],
            },
        },
    },
    check=check,
    listens=True,
    examples=(
        {"type": "order.*", "source": "https://shop.example.com/*"},
        {"type": ["order.paid"], "data": {"total": [{"numeric": [">=", 100, "<", 1000]}], "note": [{"exists": False}]}},
        {"type": "brainops.run.failed", "data": {"workflow": [{"anything-but": "Nightly test"}]}},
    ),
)
