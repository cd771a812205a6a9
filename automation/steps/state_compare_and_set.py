"""state_compare_and_set: change a value only if it still is what was read."""

from __future__ import annotations

from automation.engine.commands import CompareAndSet
from automation.engine.kinds import Call, Done, Effect, Example, Kind, Outcome
from automation.steps._state import KEY, VALUE, WRITTEN, config_schema, would


def run(call: Call) -> Outcome:
    """Set it if it holds what is expected; the output says whether."""
    config = call.config
    return Done(call.perform(CompareAndSet(config["key"], config["expected"], config["value"])))


def simulate(call: Call) -> Outcome:
    """Nothing is set."""
    config = call.config
    what = f"set the key {config['key']!r} if it holds what is expected"
    return would(what, {"value": config["value"], "version": 1, "is_set": True})


KIND = Kind(
    key="state_compare_and_set",
    title="Change a kept value safely",
    description="Set a key only if it holds an expected value, so that of two runs at the same time one wins.",
    group="State",
    icon="database",
    effect=Effect.UPDATE,
    config_schema=config_schema(
        ("key", "expected", "value"),
        {
            "key": KEY,
            "expected": {
                "title": "Expected",
                "description": "What the key must hold; null means nothing.",
                "examples": [None, "{{ steps.before.output.value }}"],
            },
            "value": VALUE,
        },
    ),
    output_schema=WRITTEN,
    run=run,
    simulate=simulate,
    examples=(
        Example(
            title="Take over from idle",
            config={"key": "importer", "expected": "idle", "value": "busy"},
        ),
    ),
)
