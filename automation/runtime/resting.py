"""What a run waits for when nothing in it can go on now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from automation.engine.results import StepResult
from automation.engine.status import StepStatus, WaitKind

SHORT_WAIT_SECONDS = 2.0  # shorter waits sleep in the thread; longer ones become a timer row
NEWS = {
    "approval": WaitKind.APPROVAL,
    "unknown": WaitKind.APPROVAL,
    "signal": WaitKind.SIGNAL,
    "child": WaitKind.CHILD,
}


def seconds_until(due: datetime, now: datetime) -> float:
    """How long until then; negative when it is past."""
    return (due - now).total_seconds()


def wait_kind(resting: Sequence[StepResult]) -> WaitKind:
    """The one reason that a list of runs shows: people first, then what comes from outside, then the clock."""
    kinds = {_kind(row) for row in resting}
    order = (WaitKind.APPROVAL, WaitKind.SIGNAL, WaitKind.CHILD)
    by_news = next((kind for kind in order if kind in kinds), None)
    if by_news is not None:
        return by_news
    first = min((row for row in resting if row.until is not None), key=lambda row: str(row.until), default=None)
    return WaitKind.RETRY if first is not None and first.status is StepStatus.RETRYING else WaitKind.TIMER


def _kind(row: StepResult) -> WaitKind | None:
    if row.status is not StepStatus.WAITING or not isinstance(row.reason, dict):
        return None
    return NEWS.get(row.reason.get("type", ""))
