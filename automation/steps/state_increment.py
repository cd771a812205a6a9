"""state_increment: count across runs."""

from __future__ import annotations

from automation.engine.commands import Increment
from automation.engine.kinds import Call, Done, Effect, Example, Kind, Outcome
from automation.steps._state import KEY, config_schema, would


def run(call: Call) -> Outcome:
    """Add, exactly once however often the step is repeated."""
    return Done(call.perform(Increment(call.config["key"], call.config.get("by", 1))))


def simulate(call: Call) -> Outcome:
    """Nothing is added; the output counts from nothing."""
    by = call.config.get("by", 1)
    return would(f"add {by} to the key {call.config['key']!r}", {"value": by, "version": 1})


KIND = Kind(
    key="state_increment",
    title="Count",
    description="Add to a number of the workspace, exactly once. A key that holds nothing counts as 0.",
    group="State",
    icon="database",
    effect=Effect.UPDATE,
    config_schema=config_schema(
        ("key",),
        {
            "key": KEY,
            "by": {
                "title": "By",
                "description": "How much to add; less than 0 takes away.",
                "type": "number",
                "default": 1,
                "examples": [1, -1, "{{ inputs.amount }}"],
            },
        },
    ),
    output_schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["value", "version"],
        "properties": {
            "value": {"title": "The sum", "type": "number"},
            "version": {"title": "How often it changed", "type": "integer"},
        },
    },
    run=run,
    simulate=simulate,
    examples=(Example(title="Count orders", config={"key": "orders"}),),
)
