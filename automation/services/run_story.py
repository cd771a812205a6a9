"""What a run says of itself: how it began and how it ended, as lines of its log that stand nowhere but in its row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson

from automation.engine.durations import duration_text
from automation.engine.status import RunStatus
from automation.store.read_run import Head

Row = tuple[Any, ...]  # seq, at, level, path, attempt, message, fields as JSON text

LAST = 2**53 - 1  # beyond every stored line, and exact in JavaScript
_ENDS = {
    RunStatus.SUCCEEDED: "succeeded",
    RunStatus.FAILED: "failed",
    RunStatus.CANCELLED: "was cancelled",
    RunStatus.TIMED_OUT: "ran out of time",
}


def opening(head: Head) -> list[Row]:
    """That it was accepted and taken up; their `seq` is before that of every stored line."""
    rows = [_row(0, head.created_at, f"The run was accepted with version {head.number}.")]
    if head.started_at is not None:
        rows.append(_row(1, head.started_at, "The run started."))
    return rows


def closing(head: Head) -> list[Row]:
    """That somebody asked to stop it, and how it ended; behind every stored line."""
    rows = []
    status = RunStatus(head.status)
    if head.cancel_requested_at is not None and status is not RunStatus.CANCELLED:
        rows.append(_row(LAST - 1, head.cancel_requested_at, "Somebody asked to cancel the run."))
    if head.finished_at is not None:
        rows.append(_row(LAST, head.finished_at, f"The run {_ENDS[status]}{_after(head)}."))
    return rows


def of(head: Head) -> list[Row]:
    """All of it."""
    return [*opening(head), *closing(head)]


def is_opening(row: Row) -> bool:
    """True for lines that stand before the stored ones."""
    return int(row[0]) < LAST - 1


def is_wanted(
    row: Row,
    *,
    path: str | None = None,
    level: Sequence[str] = (),
    attempt: int | None = None,
    since: datetime | None = None,
) -> bool:
    """True when the filters of a log let the line through: it belongs to no step and to no attempt."""
    return path is None and attempt is None and (not level or "info" in level) and (since is None or row[1] >= since)


def _row(seq: int, at: datetime, message: str) -> Row:
    return (seq, at, "info", "", 1, message, None)


def _after(head: Head) -> str:
    if head.started_at is None or head.finished_at is None:
        return ""
    error = orjson.loads(head.error) if head.error else None
    step = f" at {error['step']}" if isinstance(error, dict) and error.get("step") else ""
    return f"{step} after {duration_text(max(0.0, (head.finished_at - head.started_at).total_seconds()))}"
