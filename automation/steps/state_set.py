"""state_set: keep a value for later runs."""

from __future__ import annotations

from automation.engine.commands import SetValue
from automation.engine.kinds import Call, Done, Effect, ErrorClass, Example, Fail, Kind, Outcome, StepError
from automation.steps._state import KEY, VALUE, WRITTEN, config_schema, would
from automation.steps._times import seconds_of, time_field


def run(call: Call) -> Outcome:
    """Set it; with `if_version` only if the key has that version."""
    config = call.config
    try:
        seconds = seconds_of("expires", config.get("expires"))
    except ValueError as error:
        return Fail(StepError("invalid_time", str(error), ErrorClass.USER))
    command = SetValue(
        config["key"], config["value"], expected_version=config.get("if_version"), expires_seconds=seconds
    )
    return Done(call.perform(command))


def simulate(call: Call) -> Outcome:
    """Nothing is set."""
    config = call.config
    output = {"value": config["value"], "version": config.get("if_version", 0) + 1, "is_set": True}
    return would(f"set the key {config['key']!r}", output)


KIND = Kind(
    key="state_set",
    title="Keep a value",
    description="Keep a value under a key of the workspace, where later runs of any of its workflows find it.",
    group="State",
    icon="database",
    effect=Effect.UPDATE,
    config_schema=config_schema(
        ("key", "value"),
        {
            "key": KEY,
            "value": VALUE,
            "expires": time_field("Expires", "After this time the key holds nothing again.", "1d"),
            "if_version": {
                "title": "Only if version",
                "description": "Set it only if the key has this version; 0: only if it holds nothing.",
                "type": "integer",
                "minimum": 0,
                "examples": [0, "{{ steps.before.output.version }}"],
            },
        },
    ),
    output_schema=WRITTEN,
    run=run,
    simulate=simulate,
    examples=(
        Example(
            title="Remember an order for a day",
            config={"key": "seen:{{ inputs.order_id }}", "value": True, "expires": "1d"},
            scope={"inputs": {"order_id": 7}},
        ),
        Example(
            title="Only the first run of the day",
            config={"key": "report:{{ inputs.day }}", "value": "{{ run.id }}", "if_version": 0},
            scope={"inputs": {"day": "2026-03-01"}},
        ),
    ),
)
