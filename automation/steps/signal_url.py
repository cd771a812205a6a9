"""signal_url: make a one-time URL, so that a later step can send it to whoever shall answer."""

from __future__ import annotations

from automation.engine.commands import MakeCallback
from automation.engine.kinds import Call, Done, Effect, ErrorClass, Example, Fail, Kind, LogLine, Outcome, StepError
from automation.steps._times import seconds_of, time_field
from automation.steps.wait_signal import name_field


def run(call: Call) -> Outcome:
    """Make the URL, or find the one made before."""
    try:
        seconds = seconds_of("expires", call.config.get("expires"))
    except ValueError as error:
        return Fail(StepError("invalid_url", str(error), ErrorClass.USER))
    return Done(call.perform(MakeCallback(call.config["name"], expires_seconds=seconds)))


def simulate(call: Call) -> Outcome:
    """Nothing is made; the URL leads nowhere."""
    line = LogLine("info", f"Would make a one-time URL for the signal {call.config['name']}.")
    return Done({"url": "https://example.invalid/dry-run", "expires_at": None}, logs=(line,))


KIND = Kind(
    key="signal_url",
    title="One-time URL",
    description="Make a URL that sends this run a signal by one POST. A wait_signal step waits for it.",
    group="Flow",
    icon="add_link",
    effect=Effect.CREATE,
    is_deterministic=False,
    run=run,
    simulate=simulate,
    config_schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["name"],
        "properties": {
            "name": name_field("The signal that the URL sends."),
            "expires": time_field("Expires", "After this time the URL sends nothing any more.", "7d"),
        },
    },
    output_schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["url", "expires_at"],
        "properties": {
            "url": {"title": "The URL; anybody who has it may use it once", "type": "string", "format": "uri"},
            "expires_at": {"title": "Until when", "type": ["string", "null"], "format": "date-time"},
        },
    },
    examples=(Example(title="A link for the customer", config={"name": "customer_confirmed", "expires": "7d"}),),
)
