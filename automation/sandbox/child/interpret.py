"""One call: code and inputs into a fresh interpreter, its output or its error out, what it printed beside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic_monty import Monty, MontyCrashedError, MontyError, MontyRuntimeError, MontySession, MontySyntaxError

from automation.sandbox.child.jail import lock_interpreter
from automation.sandbox.child.values import Refused, encode

RECURSION = 500  # calls in each other
RESULT = "result"  # the variable that is the output when the last line is no expression
MOST_MESSAGE = 1000  # characters
MOST_FRAMES = 20


class Printed:
    """What the code printed, up to a size; the rest is only counted."""

    def __init__(self, most_bytes: int) -> None:
        self._left = most_bytes
        self._parts: list[str] = []
        self.total_bytes = 0

    def __call__(self, _stream: str, text: str) -> None:
        size = len(text.encode(errors="replace"))
        self.total_bytes += size
        if self._left > 0:
            self._parts.append(text[: self._left])  # characters: at most the bytes that are left
            self._left -= size

    @property
    def text(self) -> str:
        """The beginning of what was printed."""
        return "".join(self._parts)


def answer(pool: Monty, request: Mapping[str, Any]) -> bytes:
    """Run the code of a request; one line of JSON with `output` or `error`, and `printed`, `printed_bytes`."""
    printed = Printed(request["log_bytes"])
    output, error = b"null", None
    try:
        value = _run(pool, request, printed)
        output = encode(value, most_bytes=request["output_bytes"], depth=request["depth"])
    except Refused as refused:
        error = {"type": refused.type, "message": str(refused)}
    except MontyError as broke:
        error = _error(broke)
    except MemoryError:
        error = {"type": "MemoryError", "message": "the output does not fit into the sandbox's memory"}
    said = {"error": error, "printed": printed.text, "printed_bytes": printed.total_bytes}
    return b'{"output":' + output + b"," + json.dumps(said).encode()[1:]


def _run(pool: Monty, request: Mapping[str, Any], printed: Printed) -> Any:
    seconds, memory_bytes = request["seconds"], request["memory_bytes"]
    session = pool.checkout(
        script_name="code",
        limits={
            "max_feed_duration_secs": seconds,
            "max_total_sleep_secs": seconds,
            "max_memory": memory_bytes,
            "max_recursion_depth": RECURSION,
        },
        os_policy={"sleep": "system", "sleep_system_max": float("inf")},
    )
    with session as entered:
        lock_interpreter(entered.worker_pid, seconds=seconds, memory_bytes=memory_bytes)
        value = entered.feed_run(request["code"], inputs={"inputs": request["inputs"]}, print_callback=printed)
        return _result(entered) if value is None else value


def _result(session: MontySession) -> Any:
    """The variable `result`, None when there is none."""
    try:
        return session.feed_run(RESULT)
    except MontyRuntimeError:
        return None


def _error(broke: MontyError) -> dict[str, Any]:
    if isinstance(broke, MontyCrashedError):
        return {"type": "crashed", "message": str(broke)[:MOST_MESSAGE]}
    cause = broke.exception()
    frames = broke.traceback() if isinstance(broke, MontyRuntimeError | MontySyntaxError) else []
    return {
        "type": type(cause).__name__,
        "message": str(cause)[:MOST_MESSAGE],
        "lines": [{"line": frame.line, "in": frame.function_name or "<module>"} for frame in frames[-MOST_FRAMES:]],
    }
