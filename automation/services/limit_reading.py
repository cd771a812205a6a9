"""Limits and queues, to look at: how full they are, and why a run waits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from automation.engine.status import RunStatus
from automation.models import Limit, Run
from automation.store.limits import UNLIMITED, with_key
from automation.store.read_limits import MOST_COUNTED, RunPlace, read_fullness, read_place, read_runs
from automation.store.read_run import Head

SHOWN_RUNS = 50  # of each kind, on the page of a limit

QUIET, LIMIT, QUEUE = "quiet", "limit", "queue"


@dataclass(frozen=True, slots=True)
class LimitRow:
    """A limit and how full it is. `capacity` is None without a limit: the newest version has none any more."""

    key: str
    value: str  # of the key; "" for all runs of the workflow
    workflow_id: UUID
    workflow_name: str
    capacity: int | None
    under_way: int
    waiting: int  # counted up to MOST_COUNTED

    @property
    def is_full(self) -> bool:
        """True when a further run has to wait."""
        return self.capacity is not None and self.under_way >= self.capacity


@dataclass(frozen=True, slots=True)
class Why:
    """Why a run has not started: QUIET, LIMIT or QUEUE. `details` are JSON values, `message` among them."""

    type: str
    details: dict[str, Any]
    until: datetime | None = None


def with_names(rows: QuerySet[Limit]) -> QuerySet[Limit]:
    """Limits with the names of their workflows."""
    return rows.select_related("workflow").only("key", "capacity", "updated_at", "workflow_id", "workflow__name")


def rows_of(limits: Iterable[Limit]) -> list[LimitRow]:
    """Some limits with how full they are: one query."""
    found = list(limits)
    if not found:
        return []
    with connection.cursor() as cursor:
        fullness = read_fullness(cursor, [limit.key for limit in found])
    return [_row(limit, *fullness[limit.key]) for limit in found]


def runs_of(key: str) -> tuple[list[Run], list[Run]]:
    """The first runs under way with a key, and the first that wait, as they go on."""
    with connection.cursor() as cursor:
        holders, waiting = read_runs(cursor, key, most=SHOWN_RUNS)
    found = Run.objects.select_related("trigger", "version").defer("version__definition").in_bulk([*holders, *waiting])
    return [found[id_] for id_ in holders if id_ in found], [found[id_] for id_ in waiting if id_ in found]


def why(head: Head) -> Why | None:
    """Why a queued or blocked run has not started; None when it has since."""
    if head.status not in (RunStatus.QUEUED, RunStatus.BLOCKED):
        return None
    with connection.cursor() as cursor:
        place = read_place(cursor, head.id)
    if place is None:
        return None
    if place.is_gathering:
        return Why(QUIET, {"message": "It gathers further starts (settings.debounce) until it is quiet."}, place.until)
    if place.status == RunStatus.BLOCKED:
        return _limit(head.limit_key or "", place)
    counted = f"{place.before:,}" if place.before < MOST_COUNTED else f"{MOST_COUNTED:,} or more"
    said = f"Queue {head.queue}: {counted} runs of this workspace before it."
    return Why(QUEUE, {"queue": head.queue, "position": place.before + 1, "message": said})


def _limit(key: str, place: RunPlace) -> Why:
    capacity = None if place.capacity in (None, UNLIMITED) else place.capacity
    details = {
        "limit": key,
        "key": key.partition(":")[2],
        "capacity": capacity,
        "under_way": place.under_way,
        "position": place.before + 1,
        "waiting": place.waiting,
        "message": _said(key, place, capacity),
    }
    return Why(LIMIT, details)


def _said(key: str, place: RunPlace, capacity: int | None) -> str:
    if capacity is None:
        return "No limit holds it back any more: it starts within a second."
    full = f"{place.under_way} of {capacity} runs{with_key(key)} are under way"
    return f"{full}; of {place.waiting} that wait it is number {place.before + 1}."


def _row(limit: Limit, under_way: int, waiting: int) -> LimitRow:
    return LimitRow(
        key=limit.key,
        value=limit.key.partition(":")[2],
        workflow_id=limit.workflow_id,
        workflow_name=limit.workflow.name,
        capacity=None if limit.capacity == UNLIMITED else limit.capacity,
        under_way=under_way,
        waiting=waiting,
    )
