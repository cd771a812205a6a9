"""state_delete: forget a kept value."""

from __future__ import annotations

from automation.engine.commands import DeleteValue
from automation.engine.kinds import Call, Done, Effect, Example, Kind, Outcome
from automation.steps._state import KEY, config_schema, would


def run(call: Call) -> Outcome:
    """Forget it; the output says whether it held something."""
    return Done(call.perform(DeleteValue(call.config["key"])))


def simulate(call: Call) -> Outcome:
    """Nothing is forgotten."""
    return would(f"delete the key {call.config['key']!r}", {"existed": True})


KIND = Kind(
    key="state_delete",
    title="Forget a kept value",
    description="Delete a key of the workspace with its value.",
    group="State",
    icon="database",
    effect=Effect.DELETE,
    config_schema=config_schema(("key",), {"key": KEY}),
    output_schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["existed"],
        "properties": {"existed": {"title": "Whether the key held something", "type": "boolean"}},
    },
    run=run,
    simulate=simulate,
    examples=(Example(title="Start over", config={"key": "last_order"}),),
)
