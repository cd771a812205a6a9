"""log: write a line into the run's log."""

from __future__ import annotations

from automation.engine.kinds import Call, Done, Effect, Example, Kind, LogLine, Outcome


def run(call: Call) -> Outcome:
    """One line; the output is null."""
    config = call.config
    return Done(logs=(LogLine(config.get("level", "info"), config["message"], config.get("fields", {})),))


KIND = Kind(
    key="log",
    title="Log",
    description="Write a line into the log of the run.",
    group="Data",
    icon="notes",
    effect=Effect.PURE,
    config_schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["message"],
        "properties": {
            "level": {
                "title": "Level",
                "description": "How important the line is.",
                "enum": ["debug", "info", "warning", "error"],
                "default": "info",
            },
            "message": {
                "title": "Message",
                "description": "What happened.",
                "type": "string",
                "maxLength": 10_000,
                "examples": ["Order {{ inputs.order_id }} came in"],
            },
            "fields": {
                "title": "Fields",
                "description": "Values to keep beside the message.",
                "type": "object",
                "maxProperties": 50,
                "examples": [{"total": "{{ steps.order.output.body.total }}"}],
            },
        },
    },
    output_schema={"type": "null"},
    run=run,
    examples=(
        Example(
            title="Note an order",
            config={
                "level": "warning",
                "message": "Order {{ inputs.id }} is late",
                "fields": {"days": "{{ inputs.days }}"},
            },
            scope={"inputs": {"id": 7, "days": 3}},
            expect=Done(logs=(LogLine("warning", "Order 7 is late", {"days": 3}),)),
        ),
    ),
)
