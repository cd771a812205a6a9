"""Numbers about runs, workflows and workers for people who watch the whole installation."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import connection
from django.db.models import DurationField, ExpressionWrapper, F, QuerySet
from django.db.models.functions import Now

from automation.engine.status import RunStatus
from automation.models import Worker, WorkerState
from automation.store import overview

WINDOW_HOURS = 24
RECENT_RUNS = 18  # bars beside a workflow


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is under way at this moment. `oldest_seconds` is how long the next queued run has waited."""

    queued: int
    running: int
    waiting: int
    blocked: int
    suspect: int
    oldest_seconds: float | None


@dataclass(frozen=True, slots=True)
class Hour:
    """The runs created in one hour; `hours_ago` 0 is the last 60 minutes."""

    hours_ago: int
    counts: Counter[RunStatus]


@dataclass(frozen=True, slots=True)
class Window:
    """The runs created in the last hours, oldest hour first."""

    hours: tuple[Hour, ...]

    @property
    def totals(self) -> Counter[RunStatus]:
        """Counts over the whole window."""
        return sum((hour.counts for hour in self.hours), Counter())

    @property
    def success_rate(self) -> float | None:
        """The share of ended runs that succeeded; None while none ended. Cancelled runs are nobody's failure."""
        totals = self.totals
        failed = totals[RunStatus.FAILED] + totals[RunStatus.TIMED_OUT]
        ended = totals[RunStatus.SUCCEEDED] + failed
        return totals[RunStatus.SUCCEEDED] / ended if ended else None


@dataclass(frozen=True, slots=True)
class FailingWorkflow:
    """A workflow with failures in the window, and its newest failed run."""

    id: UUID
    name: str
    failed: int
    run_uid: UUID
    at: datetime
    message: str


@dataclass(frozen=True, slots=True)
class RecentRun:
    """One bar: a run of a workflow's last ones."""

    uid: UUID
    status: RunStatus
    created_at: datetime
    seconds: float | None


def backlog() -> Backlog:
    """Count what is under way."""
    return Backlog(*_rows(overview.BACKLOG)[0])


def window(*, hours: int = WINDOW_HOURS) -> Window:
    """Count the runs of the last hours by hour and status."""
    counts: dict[int, Counter[RunStatus]] = defaultdict(Counter)
    for hours_ago, status, count in _rows(overview.BY_HOUR, (hours,)):
        counts[min(hours_ago, hours - 1)][RunStatus(status)] += count
    return Window(tuple(Hour(hours_ago, counts[hours_ago]) for hours_ago in range(hours - 1, -1, -1)))


def failing_workflows(*, hours: int = WINDOW_HOURS, most: int = 5) -> list[FailingWorkflow]:
    """The workflows with the most failed runs in the last hours."""
    return [
        FailingWorkflow(id_, name, failed, uid, at, _message(error))
        for id_, name, failed, _newest, uid, at, error in _rows(overview.FAILING, (hours, most))
    ]


def recent_runs(workflow_ids: Sequence[UUID], *, most: int = RECENT_RUNS) -> dict[UUID, list[RecentRun]]:
    """The last runs of some workflows, oldest first."""
    found: dict[UUID, list[RecentRun]] = defaultdict(list)
    for workflow_id, uid, status, created_at, seconds in _rows(overview.RECENT, (list(workflow_ids), most)):
        found[workflow_id].insert(0, RecentRun(uid, RunStatus(status), created_at, seconds))
    return found


def run_counts(workflow_ids: Sequence[UUID], *, hours: int = WINDOW_HOURS) -> dict[UUID, int]:
    """How many runs some workflows had in the last hours."""
    return dict(_rows(overview.COUNT_SINCE, (list(workflow_ids), hours)))


def totals(workflow_ids: Sequence[UUID]) -> dict[UUID, Counter[RunStatus]]:
    """How many runs of some workflows ended how, ever: pruned ones count like those that still stand."""
    found: dict[UUID, Counter[RunStatus]] = defaultdict(Counter)
    with connection.cursor() as cursor:
        cursor.execute(overview.TOTALS, {"workflows": list(workflow_ids)})
        for workflow_id, status, count in cursor.fetchall():
            found[workflow_id][RunStatus(status)] += count
    return dict(found)


def tags_in_use(*, most: int) -> list[str]:
    """The tags that most workflows have, in order of the alphabet."""
    return sorted(tag for (tag,) in _rows(overview.TAGS, (most,)))


def live_workers() -> QuerySet[Worker]:
    """The workers that are there, each with `silence`: the time since its last heartbeat on the database's clock."""
    return with_silence(Worker.objects.filter(state__in=(WorkerState.LIVE, WorkerState.DRAINING))).order_by("name")


def with_silence(workers: QuerySet[Worker]) -> QuerySet[Worker]:
    """Workers with the time since their last heartbeat."""
    return workers.annotate(silence=ExpressionWrapper(Now() - F("heartbeat_at"), output_field=DurationField()))


def _message(error: Any) -> str:
    value = orjson.loads(error) if isinstance(error, str) else error
    return str((value or {}).get("message", ""))


def _rows(statement: str, parameters: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, tuple(parameters))
        return cursor.fetchall()
