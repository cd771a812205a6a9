"""poison: takes the process down that runs it."""

from __future__ import annotations

import ctypes
import os
import signal

from automation.engine.kinds import Call, Done, Effect, Kind, Outcome

CHUNK = 32 << 20
CHUNKS = 12  # of memory that is really touched; then the process is killed as the kernel would kill it


def run(call: Call) -> Outcome:
    {"kill": kill, "memory": exhaust, "segfault": segfault}[call.config["by"]]()
    return Done(None)


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def exhaust() -> None:
    """Take memory beyond any reason, then do what the kernel does on a machine that has no more."""
    held = [bytearray(os.urandom(1) * CHUNK) for _ in range(CHUNKS)]
    os.kill(os.getpid(), signal.SIGKILL if held else 0)


def segfault() -> None:
    ctypes.string_at(0)


KIND = Kind(
    key="poison",
    title="Poison",
    description="Takes the process down that runs it.",
    group="Chaos",
    icon="skull",
    effect=Effect.PURE,
    config_schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["by"],
        "properties": {"by": {"title": "By", "enum": ["kill", "memory", "segfault"]}},
    },
    output_schema={},
    run=run,
)
