"""Log lines as they may be kept: without secrets and not too large; and what a run says of itself."""

from __future__ import annotations

from datetime import datetime

import orjson

from automation.engine.kinds import LogLine
from automation.engine.status import WaitKind
from brainops.core.redact import redact, redact_line

MOST_MESSAGE = 10_000  # characters
MOST_FIELDS = 16 << 10  # bytes as JSON
FOR_WHAT = {
    WaitKind.TIMER: "for its time",
    WaitKind.RETRY: "for the next attempt",
    WaitKind.APPROVAL: "for an approval",
    WaitKind.SIGNAL: "for a signal",
    WaitKind.CHILD: "for a called run",
}


def keepable(line: LogLine) -> LogLine:
    """The line with secrets masked; a message or fields beyond the limits are cut and say so."""
    message = redact_line(line.message)
    if len(message) > MOST_MESSAGE:
        message = f"{message[:MOST_MESSAGE]}… ({len(message):,} characters)"
    return LogLine(line.level, message, _fields(line) if line.fields else {})


def _fields(line: LogLine) -> dict[str, object]:
    fields: dict[str, object] = redact(dict(line.fields))
    try:
        size = len(orjson.dumps(fields))
    except TypeError:
        return fields  # no JSON: whoever stores it says so
    return fields if size <= MOST_FIELDS else {"dropped": f"The fields have {size:,} bytes; {MOST_FIELDS:,} are kept."}


def waits(kind: WaitKind | int, until: datetime | None) -> LogLine:
    """A run leaves its process until something happens."""
    fields = {} if until is None else {"until": until.isoformat(timespec="milliseconds")}
    return LogLine("info", f"The run waits {FOR_WHAT[WaitKind(kind)]}.", fields)


def goes_on(*, attempt: int, crashes: int) -> LogLine:
    """A run is taken up again."""
    return LogLine("info", "The run goes on.", {"claim": attempt, **({"crashes": crashes} if crashes else {})})
