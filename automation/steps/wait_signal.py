"""wait_signal: wait until somebody sends the run a signal, before or while the step waits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from automation.engine.commands import TakeSignal
from automation.engine.kinds import (
    Call,
    Done,
    Effect,
    ErrorClass,
    Example,
    Fail,
    Kind,
    LogLine,
    Outcome,
    StepError,
    Wait,
)
from automation.steps._times import seconds_of, time_field

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$"
RECEIVED, TIMED_OUT = "received", "timed_out"

Json = Any


def run(call: Call) -> Outcome:
    """Take the signal, or look whether it has come: a signal is taken by one step, once."""
    config = call.config
    try:
        seconds = seconds_of("timeout", config.get("timeout"))
    except ValueError as error:
        return Fail(StepError("invalid_wait", str(error), ErrorClass.USER))
    wants_url = config.get("url", False)
    answer = call.perform(TakeSignal(config["name"], with_url=wants_url, timeout_seconds=seconds))
    if answer["state"] == "waiting":
        return _wait(config["name"], answer)
    is_received = answer["state"] == RECEIVED
    said = f"Received the signal {config['name']}." if is_received else f"No signal {config['name']} came in time."
    return Done(
        _output(answer, is_received=is_received, url=answer.get("url") if wants_url else None),
        port=answer["state"],
        reason={"type": "signal", "name": config["name"], "state": answer["state"]},
        logs=(LogLine("info", said),),
    )


def simulate(call: Call) -> Outcome:
    """Nothing is waited for; the run goes on as if the signal had come without a payload."""
    line = LogLine("info", f"Would wait for the signal {call.config['name']}.")
    return Done(_output({}, is_received=True, url=None), port=RECEIVED, logs=(line,))


def name_field(description: str) -> dict[str, Json]:
    """The schema of a signal's name."""
    return {
        "title": "Name",
        "description": description,
        "type": "string",
        "pattern": NAME_PATTERN,
        "x-hint": "a letter or digit and up to 99 letters, digits, dots, dashes or underscores",
        "examples": ["payment_confirmed"],
    }


def _wait(name: str, answer: Mapping[str, Json]) -> Wait:
    details = {"name": name}
    if answer.get("url"):
        details["url"] = answer["url"]
    until = answer.get("until")
    return Wait("signal", datetime.fromisoformat(until) if until else None, details)


def _output(answer: Mapping[str, Json], *, is_received: bool, url: str | None) -> dict[str, Json]:
    return {"received": is_received, "payload": answer.get("payload"), "key": answer.get("key"), "url": url}


def _ports(config: Mapping[str, Json]) -> Iterable[str]:
    return (RECEIVED, TIMED_OUT) if "timeout" in config else (RECEIVED,)


KIND = Kind(
    key="wait_signal",
    title="Wait for a signal",
    description="Wait until somebody sends the run a signal by its name, or calls a one-time URL.",
    group="Flow",
    icon="notifications",
    effect=Effect.UPDATE,
    is_deterministic=False,
    ports=_ports,
    run=run,
    simulate=simulate,
    config_schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["name"],
        "properties": {
            "name": name_field("Which signal. One that came before the step began counts, too."),
            "timeout": time_field(
                "Timeout", "After this time without a signal the port `timed_out` is taken.", "30m", "7d"
            ),
            "url": {
                "title": "One-time URL",
                "description": "Make a URL that sends the signal by one POST. It stands in the step while it waits.",
                "type": "boolean",
                "default": False,
            },
        },
    },
    output_schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["received", "payload", "key", "url"],
        "properties": {
            "received": {"title": "Whether the signal came", "type": "boolean"},
            "payload": {"title": "What was sent with it"},
            "key": {"title": "The sender's key", "type": ["string", "null"]},
            "url": {"title": "The one-time URL", "type": ["string", "null"]},
        },
    },
    examples=(
        Example(
            title="Wait a week for the payment",
            config={"name": "payment_confirmed", "timeout": "7d"},
        ),
        Example(title="Wait for whoever calls the URL", config={"name": "done", "url": True}),
    ),
)
