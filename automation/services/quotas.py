"""Quotas of a workspace: workflows, active triggers, runs a day, storage. Where rows are made, this is asked first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from automation.store import quotas
from automation.store.quotas import OwnQuotas
from brainops.accounts.usage import QuotaUse
from brainops.core import clock
from brainops.core.errors import PermissionDenied, TooManyRequests

REMEMBERED_SECONDS = 30.0  # how long a process does not see that another one changed a quota
MOST_REMEMBERED = 5000  # workspaces

_WORDS = {"workflows": "workflows", "active_triggers": "active triggers", "runs_per_day": "runs a day"}


class QuotaExceeded(PermissionDenied):
    """The workspace has all it may have; something has to go first, or staff raises the quota."""

    code = "quota_exceeded"
    title = "Quota exceeded"


class DayQuotaExceeded(TooManyRequests):
    """The workspace has had its runs of this day."""

    code = "quota_exceeded"
    title = "Quota exceeded"


BEYOND_QUOTA = (QuotaExceeded, DayQuotaExceeded)


class _Remembered:
    """Quotas of workspaces as this process knows them; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[UUID, tuple[float, OwnQuotas]] = OrderedDict()

    def get(self, workspace_id: UUID) -> OwnQuotas:
        known = self._known.get(workspace_id)
        now = clock.monotonic()
        if known is not None and now - known[0] < REMEMBERED_SECONDS:
            return known[1]
        with connection.cursor() as cursor:
            own = quotas.of_workspace(cursor, workspace_id)
        with self._lock:
            self._known[workspace_id] = now, own
            self._known.move_to_end(workspace_id)
            if len(self._known) > MOST_REMEMBERED:
                self._known.popitem(last=False)
        return own

    def forget_all(self) -> None:
        """Ask the database again."""
        with self._lock:
            self._known.clear()

    def changed(self, **_signal: Any) -> None:
        """A workspace was written in this process: ask again now, and once more when that is committed."""
        self.forget_all()
        transaction.on_commit(self.forget_all)


remembered = _Remembered()


def limit_of(own: OwnQuotas, name: str) -> int | None:
    """The workspace's own number, else the installation's; None for no quota."""
    mine: int | None = getattr(own, name)
    return settings.BRAINOPS_QUOTAS[name] or None if mine is None else mine


def require_workflows_locked(workspace_id: UUID, *, more: int = 1) -> None:
    """Raise QuotaExceeded unless the workspace may have so many workflows more. Needs a transaction."""
    _require_locked(workspace_id, "workflows", more, quotas.count_workflows)


def require_active_triggers_locked(workspace_id: UUID, *, more: int = 1) -> None:
    """Raise QuotaExceeded unless so many triggers more may be switched on. Needs a transaction."""
    _require_locked(workspace_id, "active_triggers", more, quotas.count_active_triggers)


def require_storage(own: OwnQuotas) -> None:
    """Raise QuotaExceeded when the storage was full at the last look."""
    limit = limit_of(own, "storage_bytes")
    if limit is not None and (own.used_bytes or 0) >= limit:
        said = f"The runs of this workspace take {own.used_bytes or 0:,} bytes, of {limit:,} it may have."
        said = f"{said} Delete runs or shorten their retention; it is measured every five minutes."
        raise QuotaExceeded(said, details=_details("storage_bytes", own.used_bytes or 0, limit))


def require_bytes(used: int, more: int, limit: int) -> None:
    """Raise QuotaExceeded when so many bytes more are beyond the storage of a workspace."""
    if used + more > limit:
        said = f"This workspace uses {used:,} of {limit:,} bytes of storage; {more:,} more are beyond its quota."
        said = f"{said} Delete runs or shorten their retention, or ask for a higher quota."
        raise QuotaExceeded(said, details=_details("storage_bytes", used, limit))


def runs_refused(used: int, limit: int) -> DayQuotaExceeded:
    """What a start beyond the day's runs is told."""
    return DayQuotaExceeded(
        f"This workspace has had {used:,} runs today, of {limit:,} a day. The next day begins at midnight UTC.",
        details=_details("runs_per_day", used, limit),
        retry_after_seconds=(midnight() + timedelta(days=1) - clock.now()).total_seconds(),
    )


def uses(workspace_id: UUID) -> list[QuotaUse]:
    """All quotas of a workspace and how full they are, counted now (storage: at the last look)."""
    today = midnight()
    with connection.cursor() as cursor:
        own = quotas.of_workspace(cursor, workspace_id)
        workflows = quotas.count_workflows(cursor, workspace_id)
        triggers = quotas.count_active_triggers(cursor, workspace_id)
        runs = quotas.count_runs(cursor, workspace_id, since=today)
    return [
        QuotaUse("workflows", workflows, limit_of(own, "workflows")),
        QuotaUse("active_triggers", triggers, limit_of(own, "active_triggers")),
        QuotaUse("runs_per_day", runs, limit_of(own, "runs_per_day"), resets_at=today + timedelta(days=1)),
        QuotaUse("storage_bytes", own.used_bytes or 0, limit_of(own, "storage_bytes"), measured_at=own.measured_at),
    ]


def midnight() -> datetime:
    """When this UTC day began."""
    return clock.now().replace(hour=0, minute=0, second=0, microsecond=0)


def _require_locked(workspace_id: UUID, name: str, more: int, count: Callable[[Any, UUID], int]) -> None:
    if more < 1 or limit_of(remembered.get(workspace_id), name) is None:
        return
    with connection.cursor() as cursor:
        # the lock first, the count in a statement of its own: it sees what others committed meanwhile
        quotas.lock(cursor, workspace_id)
        limit = limit_of(quotas.of_workspace(cursor, workspace_id), name)
        used = count(cursor, workspace_id)
    if limit is not None and used + more > limit:
        what = f"{more:,} more" if more > 1 else "one more"
        said = f"This workspace has {used:,} {_WORDS[name]} and may have {limit:,}; {what} is beyond its quota."
        raise QuotaExceeded(f"{said} Remove some, or ask for a higher quota.", details=_details(name, used, limit))


def _details(name: str, used: int, limit: int) -> dict[str, Any]:
    return {"quota": {"name": name, "used": used, "limit": limit}}
