"""code: a few lines of Python, run far away from everything else. Off until an administrator switches it on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.conf import settings

from automation.engine.kinds import Call, Done, Effect, ErrorClass, Example, Fail, Kind, LogLine, Outcome, StepError
from automation.sandbox.pool import Answer, Busy, Request, pool_of
from automation.sandbox.process import CallStopped, CallTooLong, ChildGone

OFF = "Code steps are switched off on this server. An administrator switches them on with BRAINOPS_CODE_STEPS=1."
MOST_CODE = 100_000  # characters
MOST_LINES = 200  # of what one call printed
MOST_LINE = 2000  # characters
OUT_OF_TIME = ("feed time limit exceeded", "sleep limit exceeded")  # how the interpreter begins its TimeoutError
OUT_OF_MEMORY = re.compile(r"memory limit exceeded: (\d+) bytes > (\d+) bytes")


def run(call: Call) -> Outcome:
    """Run the code; every way it can go wrong is a failure of this step and of nothing else."""
    if not settings.BRAINOPS_CODE_STEPS:
        return _fail("code_steps_off", OFF)
    request = _request(call)
    pool = pool_of(settings.BRAINOPS_CODE_PROCESSES)
    try:
        answer = pool.run(request, seconds=call.remaining_seconds(), is_cancelled=call.is_cancelled)
    except CallStopped:
        return _fail("cancelled", "The run was cancelled; the code was stopped.", ErrorClass.CANCELLED)
    except Busy:
        said = f"All {pool.size} processes for code were at work until the step's time was over. Raise "
        return _fail("code_busy", f"{said}BRAINOPS_CODE_PROCESSES, or run fewer at once.", ErrorClass.TRANSIENT)
    except CallTooLong:
        return _too_long(request)
    except (ChildGone, OSError) as error:
        return _crashed(str(error))
    return _outcome(answer, request)


def _request(call: Call) -> Request:
    limits = settings.BRAINOPS_LIMITS
    return Request(
        code=call.config["code"],
        inputs=call.config.get("inputs", {}),
        seconds=max(0.0, min(limits["code_seconds"], call.remaining_seconds())),
        memory_bytes=limits["code_memory_bytes"],
        output_bytes=limits["code_output_bytes"],
        log_bytes=limits["code_log_bytes"],
        depth=limits["json_depth"],
    )


def _outcome(answer: Answer, request: Request) -> Outcome:
    logs = tuple(_lines(answer, request.log_bytes))
    if answer.error is None:
        return Done(answer.output, logs=logs)
    return Fail(_error(answer.error, request), logs)


def _lines(answer: Answer, most_bytes: int) -> Iterator[LogLine]:
    lines = [line for line in answer.printed.splitlines() if line.strip()]
    yield from (LogLine("info", line[:MOST_LINE]) for line in lines[:MOST_LINES])
    if answer.printed_bytes > most_bytes or len(lines) > MOST_LINES:
        said = (
            f"The code printed {answer.printed_bytes:,} bytes; at most {most_bytes:,} and {MOST_LINES} lines are kept"
        )
        yield LogLine("warning", f"{said} (BRAINOPS_LIMIT_CODE_LOG_BYTES).")


def _error(error: dict[str, Any], request: Request) -> StepError:
    kind, message = error["type"], error["message"]
    if kind == "crashed":
        return _crashed(message).error
    if kind in ("code_output", "code_output_limit"):
        return StepError(kind, message)
    if kind == "TimeoutError" and message.startswith(OUT_OF_TIME):
        return _too_long(request).error
    if kind == "MemoryError" and (sizes := OUT_OF_MEMORY.match(message)):
        wanted, most = (int(size) for size in sizes.groups())
        said = f"The code needed {wanted:,} bytes of memory; it has {most:,} (BRAINOPS_LIMIT_CODE_MEMORY_BYTES)."
        return StepError("code_memory_limit", f"{said} Work in smaller parts.")
    return _raised(kind, message, error["lines"])


def _raised(kind: str, message: str, lines: list[dict[str, Any]]) -> StepError:
    """What the code itself raised, with the line and the calls that led there."""
    place = f"Line {lines[-1]['line']}" if lines else "The code"
    details = {"exception": kind, "lines": lines}
    return StepError("code_error", f"{place}: {kind}: {message}" if message else f"{place}: {kind}", details=details)


def _too_long(request: Request) -> Fail:
    most = settings.BRAINOPS_LIMITS["code_seconds"]
    if request.seconds < most:
        said = f"The code was not done when the step's time was over ({request.seconds:.1f} s were left for it)."
        return _fail("timeout", said, ErrorClass.TIMEOUT)
    said = f"The code ran longer than {most:g} s (BRAINOPS_LIMIT_CODE_SECONDS) and was stopped. Work in smaller parts."
    return _fail("code_time_limit", said)


def _crashed(how: str) -> Fail:
    said = f"The process that ran the code was lost: {how}. Nothing else was harmed; often it needed too much memory."
    return _fail("code_crashed", said, ErrorClass.INTERNAL)


def _fail(type: str, message: str, error_class: ErrorClass = ErrorClass.USER) -> Fail:
    return Fail(StepError(type, message, error_class))


KIND = Kind(
    key="code",
    title="Code",
    description="Run Python that sees its inputs and nothing else: no files, no network. Off until an administrator "
    "switches it on.",
    group="Data",
    icon="code",
    effect=Effect.PURE,
    is_deterministic=False,  # clock and chance
    is_blocking=True,
    lazy=frozenset({"code"}),
    config_schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["code"],
        "properties": {
            "code": {
                "title": "Code",
                "description": "Python. Its last line, or the variable `result`, is the output. Braces mean what they "
                "mean in Python: nothing in here is a template.",
                "type": "string",
                "minLength": 1,
                "maxLength": MOST_CODE,
                "x-as-written": True,
                "x-verbatim": True,
                "x-language": "python",
                "examples": ["sum(row['price'] for row in inputs['rows'])"],
            },
            "inputs": {
                "title": "Inputs",
                "description": "What the code finds in the variable `inputs`.",
                "type": "object",
                "default": {},
                "examples": [{"rows": "{{ steps.orders.output.body }}"}],
            },
        },
    },
    output_schema={"title": "What the code gave back: any JSON value"},
    run=run,
    examples=(
        Example(
            title="The turnover of each customer",
            config={
                "code": "sums = {}\n"
                "for row in inputs['rows']:\n"
                "    sums[row['customer']] = sums.get(row['customer'], 0) + row['price']\n"
                "sums",
                "inputs": {"rows": "{{ inputs.rows }}"},
            },
            scope={"inputs": {"rows": [{"customer": "a", "price": 2}, {"customer": "a", "price": 3}]}},
            expect=Done({"a": 5}),
        ),
        Example(
            title="Take a text apart",
            config={
                "code": "import re\n"
                "found = re.match(r'(\\w+)-(\\d+)', inputs['name'])\n"
                "result = {'prefix': found.group(1), 'number': int(found.group(2))}",
                "inputs": {"name": "{{ inputs.name }}"},
            },
            scope={"inputs": {"name": "INV-204"}},
            expect=Done({"prefix": "INV", "number": 204}),
        ),
    ),
)
