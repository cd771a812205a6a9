"""state_get: read a value that an earlier run kept."""

from __future__ import annotations

from automation.engine.commands import GetValue
from automation.engine.kinds import Call, Done, Effect, Example, Kind, Outcome
from automation.steps._state import KEY, config_schema


def run(call: Call) -> Outcome:
    """What the key holds, or the default."""
    found = call.perform(GetValue(call.config["key"]))
    if not found["exists"]:
        found = {**found, "value": call.config.get("default")}
    return Done(found)


KIND = Kind(
    key="state_get",
    title="Read a kept value",
    description="Read a value that an earlier run kept under a key of the workspace.",
    group="State",
    icon="database",
    effect=Effect.READ,
    is_deterministic=False,
    config_schema=config_schema(
        ("key",),
        {
            "key": KEY,
            "default": {
                "title": "Default",
                "description": "The value when the key holds nothing; null without it.",
                "examples": [0, []],
            },
        },
    ),
    output_schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["value", "version", "exists"],
        "properties": {
            "value": {"title": "What the key holds, or the default"},
            "version": {"title": "How often it changed, 0 when it holds nothing", "type": "integer"},
            "exists": {"title": "Whether the key holds something", "type": "boolean"},
        },
    },
    run=run,
    examples=(Example(title="Where the last run stopped", config={"key": "last_order", "default": 0}),),
)
