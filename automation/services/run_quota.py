"""Runs a day, and storage: asked before each start, without a row that all starts of a workspace would fight over.

A workspace without these quotas costs a look into this process' memory. One with them has a counter in Redis, begun
from what stands in the database and begun anew every ten minutes, so a start that was rolled back is not counted for
long. With Redis away each process counts the rows itself, at most once a second, and adds what it started since.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from automation.services import quotas
from automation.store.quotas import count_runs
from brainops.core import clock
from brainops.core.ratelimit.counters import Count, count

COUNTER_SECONDS = 600.0
LOCAL_SECONDS = 1.0
MOST_COUNTED = 5000  # workspaces counted in this process


@dataclass(slots=True)
class Place:
    """A start's place in the quota; given back unless a run takes it."""

    is_used: bool = True


@dataclass(slots=True)
class _LocalCount:
    day: datetime
    counted_at: float
    used: int


_lock = threading.Lock()
_local: dict[UUID, _LocalCount] = {}


@contextmanager
def place(workspace_id: UUID) -> Iterator[Place]:
    """Hold a place for one start. Raises QuotaExceeded, DayQuotaExceeded.

    An error, or `is_used = False` (nothing was started after all), gives it back.
    """
    own = quotas.remembered.get(workspace_id)
    quotas.require_storage(own)
    limit = quotas.limit_of(own, "runs_per_day")
    held = Place()
    if limit is None:
        yield held
        return
    today = quotas.midnight()
    _take(workspace_id, today, limit)
    try:
        yield held
    except BaseException:
        held.is_used = False
        raise
    finally:
        if not held.is_used:
            _count(workspace_id, today, -1, limit)


def _take(workspace_id: UUID, today: datetime, limit: int) -> None:
    found = _count(workspace_id, today, 1, limit)
    if not found.is_within:
        raise quotas.runs_refused(found.used, limit)


def _count(workspace_id: UUID, today: datetime, amount: int, limit: int) -> Count:
    name = f"runs:{workspace_id}:{today:%Y-%m-%d}"
    found = count(name, amount, most=limit, seconds=COUNTER_SECONDS)
    if found is not None and not found.is_known:
        if amount < 0:
            return found  # the next start counts the rows, and this one left none
        start = _rows(workspace_id, today)
        found = count(name, amount, most=limit, seconds=COUNTER_SECONDS, start=start)
    return found or _count_here(workspace_id, today, amount, limit)


def _count_here(workspace_id: UUID, today: datetime, amount: int, limit: int) -> Count:
    """Without Redis: what stands in the database, and what this process started since it looked."""
    with _lock:
        known = _local.get(workspace_id)
        now = clock.monotonic()
        if known is None or known.day != today or now - known.counted_at >= LOCAL_SECONDS:
            if len(_local) >= MOST_COUNTED:
                _local.clear()
            known = _local[workspace_id] = _LocalCount(today, now, _rows(workspace_id, today))
        if amount > 0 and known.used + amount > limit:
            return Count(is_within=False, used=known.used)
        known.used += amount
        return Count(is_within=True, used=known.used)


def _rows(workspace_id: UUID, today: datetime) -> int:
    with connection.cursor() as cursor:
        return count_runs(cursor, workspace_id, since=today)
