"""Notices: what the end of a run means for whoever wants to know, and when a message is tried again.

A workflow is well or failing in the eyes of a rule. Each end of a run moves that state and says at most one thing.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Final

from automation.engine.status import RunStatus

FIRST_FAILURE, STILL_FAILING, RECOVERED = "first_failure", "still_failing", "recovered"
TIMED_OUT, RUN_SLOW = "timed_out", "run_slow"
APPROVAL_REQUESTED, APPROVAL_ESCALATED = "approval_requested", "approval_escalated"
APPROVAL_REMINDER, APPROVAL_EXPIRED = "approval_reminder", "approval_expired"
DID_NOT_RUN, RUNS_AGAIN = "did_not_run", "runs_again"
ABOUT_RUNS: Final = (FIRST_FAILURE, STILL_FAILING, RECOVERED, TIMED_OUT, RUN_SLOW)
ABOUT_APPROVALS: Final = (APPROVAL_REQUESTED, APPROVAL_ESCALATED, APPROVAL_REMINDER, APPROVAL_EXPIRED)
ABOUT_SCHEDULES: Final = (DID_NOT_RUN, RUNS_AGAIN)
EVENTS: Final = (*ABOUT_RUNS, *ABOUT_SCHEDULES, *ABOUT_APPROVALS)
DIGEST, TEST = "digest", "test"  # what nobody subscribes to

FIRST_DELAY_SECONDS = 15.0
LONGEST_DELAY_SECONDS = 3_600.0
LIFETIME_SECONDS = 24 * 3_600.0  # a message that nobody took for so long is given up


@dataclass(frozen=True, slots=True)
class Standing:
    """How a workflow stands. `failures` counts since `failing_since`; `unsaid` those that no notice has told yet."""

    is_failing: bool = False
    failing_since: datetime | None = None
    failures: int = 0
    unsaid: int = 0
    said_at: datetime | None = None
    slow_unsaid: int = 0
    slow_said_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class End:
    """One run that ended; `seconds` from its first claim, None when it never started."""

    status: RunStatus
    at: datetime
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a rule wants to hear. What repeats is told at most once in `repeat_seconds`."""

    events: frozenset[str]
    repeat_seconds: float = 3_600.0
    slow_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """One notice: its event, how many runs it stands for, and since when it has been so."""

    event: str
    count: int
    since: datetime | None


def follow(standing: Standing, end: End, wishes: Wishes, *, is_muted: bool = False) -> tuple[Standing, Said | None]:
    """Move on by one end, and say what is to be told.

    The same ends in the same order give the same words. While muted the state moves and nothing is said; what was
    not said is counted into the next notice.
    """
    if end.status in (RunStatus.FAILED, RunStatus.TIMED_OUT):
        return _failed(standing, end, wishes, is_muted=is_muted)
    if end.status is not RunStatus.SUCCEEDED:
        return standing, None
    if standing.is_failing:
        well = Standing(slow_unsaid=standing.slow_unsaid, slow_said_at=standing.slow_said_at)
        is_told = RECOVERED in wishes.events and not is_muted
        return well, Said(RECOVERED, standing.failures, standing.failing_since) if is_told else None
    return _slow(standing, end, wishes, is_muted=is_muted)


def _failed(standing: Standing, end: End, wishes: Wishes, *, is_muted: bool) -> tuple[Standing, Said | None]:
    is_first = not standing.is_failing
    after = replace(
        standing,
        is_failing=True,
        failing_since=end.at if is_first else standing.failing_since,
        failures=standing.failures + 1,
        unsaid=standing.unsaid + 1,
        said_at=None if is_first else standing.said_at,
    )
    event = _word(FIRST_FAILURE if is_first else STILL_FAILING, end, wishes)
    if event is None or is_muted or not _is_due(after.said_at, end.at, wishes):
        return after, None
    said = Said(event, 1 if is_first else after.unsaid, after.failing_since)
    return replace(after, unsaid=0, said_at=end.at), said


def _word(usual: str, end: End, wishes: Wishes) -> str | None:
    if usual in wishes.events:
        return usual
    return TIMED_OUT if end.status is RunStatus.TIMED_OUT and TIMED_OUT in wishes.events else None


def _slow(standing: Standing, end: End, wishes: Wishes, *, is_muted: bool) -> tuple[Standing, Said | None]:
    is_slow = wishes.slow_seconds is not None and end.seconds is not None and end.seconds > wishes.slow_seconds
    if not is_slow or RUN_SLOW not in wishes.events:
        return standing, None
    after = replace(standing, slow_unsaid=standing.slow_unsaid + 1)
    if is_muted or not _is_due(standing.slow_said_at, end.at, wishes):
        return after, None
    return replace(after, slow_unsaid=0, slow_said_at=end.at), Said(RUN_SLOW, after.slow_unsaid, None)


def _is_due(said_at: datetime | None, now: datetime, wishes: Wishes) -> bool:
    return said_at is None or (now - said_at).total_seconds() >= wishes.repeat_seconds


def quiet_ends_at(now: datetime, begins: time, ends: time) -> datetime | None:
    """When the quiet hours that `now` is in are over; None outside of them. `now` is on the clock of the hours.

    Hours that begin later than they end go over midnight; those that begin when they end are none.
    """
    if begins == ends:
        return None
    is_quiet = begins <= now.time() < ends if begins < ends else now.time() >= begins or now.time() < ends
    if not is_quiet:
        return None
    days = 1 if begins > ends and now.time() >= begins else 0
    return datetime.combine(now.date() + timedelta(days=days), ends, tzinfo=now.tzinfo)


def delay_seconds(attempt: int, *, retry_after_seconds: float | None = None, seed: int | None = None) -> float:
    """Seconds to wait after failed attempt `attempt` (1 = the first).

    Exponential with full jitter: uniform(0, min(3600, 15 * 2**(attempt-1))), and at least what the receiver asked for
    (Retry-After), a day at most. Source: AWS Architecture Blog, "Exponential Backoff And Jitter" (2015).
    """
    ceiling = min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2 ** min(attempt - 1, 20))
    chosen = random.Random(seed).uniform(0, ceiling)  # noqa: S311  # spreads load; nobody gains by guessing it
    return max(chosen, min(retry_after_seconds or 0.0, LIFETIME_SECONDS))
