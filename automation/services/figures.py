"""Figures of ended runs over a period, for staff over all workspaces and for callers over their own."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import accumulate
from typing import Any
from uuid import UUID

from django.db import connection

from automation.engine.status import RunStatus
from automation.store import tally
from brainops.core import clock

MOST_WORKFLOWS = 10
MOST_FAILURES = 2000  # failed runs that are looked into
TIMED = (RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.TIMED_OUT)  # whose durations say something


class Period(StrEnum):
    """How far back. A day is told by the hour, more by the day."""

    DAY = "24h"
    WEEK = "7d"
    MONTH = "30d"
    QUARTER = "90d"

    @property
    def unit(self) -> str:
        """What the series counts by."""
        return "hour" if self is Period.DAY else "day"

    @property
    def steps(self) -> int:
        """How many units it has."""
        return int(self[:-1])


@dataclass(frozen=True, slots=True)
class Stretch:
    """From `since` to `until`, which is exclusive, in steps of a unit; the present unit counts as the last one."""

    since: datetime
    until: datetime
    unit: str

    @classmethod
    def of(cls, period: Period) -> Stretch:
        """The stretch of a period that ends with the present hour or day (UTC)."""
        now = clock.now()
        step = timedelta(hours=1) if period.unit == "hour" else timedelta(days=1)
        begin = now.replace(minute=0, second=0, microsecond=0)
        if period.unit == "day":
            begin = begin.replace(hour=0)
        until = begin + step
        return cls(until - step * period.steps, until, period.unit)

    @property
    def before(self) -> Stretch:
        """The stretch of the same length before this one."""
        return Stretch(self.since - (self.until - self.since), self.since, self.unit)

    @property
    def places(self) -> list[datetime]:
        """The beginning of each step."""
        step = timedelta(hours=1) if self.unit == "hour" else timedelta(days=1)
        return [self.since + step * number for number in range((self.until - self.since) // step)]


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts and durations of the runs that ended in a stretch."""

    counts: Counter[RunStatus]
    p50_seconds: float | None
    p95_seconds: float | None
    p99_seconds: float | None
    average_seconds: float | None
    longest_seconds: float | None

    @property
    def total(self) -> int:
        """All that ended."""
        return self.counts.total()

    @property
    def success_rate(self) -> float | None:
        """The share of those that succeeded, failed or timed out. Cancelled runs are nobody's failure."""
        ended = sum(self.counts[status] for status in TIMED)
        return self.counts[RunStatus.SUCCEEDED] / ended if ended else None


@dataclass(frozen=True, slots=True)
class Share:
    """What one workflow did in a stretch."""

    workflow_id: UUID
    name: str
    workspace_id: UUID
    runs: int
    succeeded: int
    failed: int
    average_seconds: float
    longest_seconds: float


@dataclass(frozen=True, slots=True)
class Failure:
    """Failed runs with the same type of error."""

    type: str
    error_class: str
    runs: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Own:
    """Whose figures: the user's runs and those of the user's workflows, in one workspace."""

    workspace_id: UUID
    user_id: UUID | None


def summary(stretch: Stretch, own: Own | None = None) -> Summary:
    """Counts and durations. Percentiles are right to a tenth: they come from buckets."""
    spread = _rows(tally.OWN_SPREAD if own else tally.SPREAD, stretch, own)
    counts: Counter[RunStatus] = Counter()
    buckets: Counter[int] = Counter()
    seconds, longest = 0.0, 0.0
    for status, bucket, runs, total_seconds, longest_seconds in spread:
        counts[RunStatus(status)] += runs
        if status in TIMED and bucket != tally.NO_TIME:
            buckets[bucket] += runs
            seconds, longest = seconds + total_seconds, max(longest, longest_seconds)
    if not buckets:
        return Summary(counts, None, None, None, None, None)
    p50, p95, p99 = (min(_percentile(buckets, share), longest) for share in (0.5, 0.95, 0.99))
    return Summary(counts, p50, p95, p99, seconds / buckets.total(), longest)


def series(stretch: Stretch, own: Own | None = None) -> list[tuple[datetime, Counter[RunStatus]]]:
    """The runs that ended in each hour or day, oldest first; also where nothing ended."""
    counts: dict[datetime, Counter[RunStatus]] = defaultdict(Counter)
    for at, status, runs in _rows(tally.OWN_BY_TIME if own else tally.BY_TIME, stretch, own, unit=stretch.unit):
        counts[at][RunStatus(status)] += runs
    return [(place, counts[place]) for place in stretch.places]


def slowest(stretch: Stretch) -> list[Share]:
    """The workflows of all workspaces whose runs took longest on average."""
    return _shares(_rows(tally.SLOWEST, stretch, None, most=MOST_WORKFLOWS))


def own_busiest(stretch: Stretch, own: Own, *, most: int) -> list[Share]:
    """The caller's workflows with the most runs."""
    return _shares(_rows(tally.OWN_BUSIEST, stretch, own, most=most))


def failures(stretch: Stretch, own: Own | None = None) -> list[Failure]:
    """What went wrong most often among the newest failed runs."""
    statement = tally.OWN_FAILURES if own else tally.FAILURES
    return [Failure(*row) for row in _rows(statement, stretch, own, most=MOST_FAILURES)]


def ever() -> Counter[RunStatus]:
    """All runs that ever ended, pruned ones too."""
    with connection.cursor() as cursor:
        found = tally.rows(cursor, tally.EVER, {})
    return Counter({RunStatus(status): int(runs) for status, runs in found})


def own_under_way(own: Own) -> Counter[RunStatus]:
    """The caller's runs that have not ended."""
    with connection.cursor() as cursor:
        found = tally.rows(cursor, tally.OWN_UNDER_WAY, {"workspace": own.workspace_id, "user": own.user_id})
    return Counter({RunStatus(status): runs for status, runs in found if runs})


def _shares(found: Iterable[tuple[Any, ...]]) -> list[Share]:
    return [Share(*row) for row in found]


def _percentile(buckets: Mapping[int, int], share: float) -> float:
    """Seconds in the middle of the bucket that holds the nearest rank."""
    rank = share * sum(buckets.values())
    ordered = sorted(buckets)
    reached = accumulate(buckets[bucket] for bucket in ordered)
    bucket = next(bucket for bucket, count in zip(ordered, reached, strict=True) if count >= rank)
    return float(tally.GROWTH ** (bucket + 0.5))


def _rows(statement: str, stretch: Stretch, own: Own | None, **more: Any) -> list[tuple[Any, ...]]:
    parameters: dict[str, Any] = {"since": stretch.since, "until": stretch.until, **more}
    if own is not None:
        parameters |= {"workspace": own.workspace_id, "user": own.user_id}
    with connection.cursor() as cursor:
        return tally.rows(cursor, statement, parameters)
