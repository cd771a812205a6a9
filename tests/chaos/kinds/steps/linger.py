"""linger: stays in its thread for a while, needing nothing from anybody. What comes next comes late."""

from __future__ import annotations

import time

from automation.engine.kinds import Call, Done, Effect, Kind, Outcome


def run(call: Call) -> Outcome:
    time.sleep(call.config["seconds"])
    return Done(None)


KIND = Kind(
    key="linger",
    title="Linger",
    description="Stays in its thread for a while.",
    group="Chaos",
    icon="timer",
    effect=Effect.PURE,
    config_schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["seconds"],
        "properties": {"seconds": {"title": "Seconds", "type": "number", "minimum": 0}},
    },
    output_schema={},
    run=run,
)
