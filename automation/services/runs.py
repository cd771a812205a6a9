"""Runs: start and cancel. Starting is the hot path of everything that starts runs: one statement, no model instance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from automation.engine.keep import KeptPaths
from automation.engine.status import RunStatus
from automation.models import Run, RunMode
from automation.services import limits, run_quota, runnable
from automation.services.rights import require_on_workflow
from automation.services.runnable import Runnable
from automation.store.bell import ring_on_commit
from automation.store.cancel import cancel_runs
from automation.store.intake import CalledBy, NewRun
from automation.store.limits import LimitFull
from automation.store.start import Started, find_duplicate, start_run
from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission
from brainops.accounts.scoping import get_scoped, scoped
from brainops.audit.services import record
from brainops.core.errors import Conflict

ATTEMPTS = 5  # a workflow that is saved faster than this many times in a row is not a person's


@dataclass(frozen=True, slots=True)
class StartedRun:
    """A run that stands in the database. `created_at` is None when an earlier call with its dedupe key made it."""

    id: int
    uid: UUID
    version: Runnable
    created_at: datetime | None
    status: RunStatus = RunStatus.QUEUED

    @property
    def is_duplicate(self) -> bool:
        """True when nothing was started now."""
        return self.created_at is None


@dataclass(frozen=True, slots=True)
class Kept:
    """What a retry takes over: the run it repeats and the paths of the rows whose results stay."""

    run_id: int
    paths: KeptPaths


def start(
    workflow_id: UUID,
    *,
    workspace_id: UUID,
    inputs: Any,
    trigger: Any = None,
    trigger_id: UUID | None = None,
    created_by_id: UUID | None = None,
    mode: RunMode = RunMode.ASYNC,
    version: str | None = None,
    dedupe_key: str | None = None,
    kept: Kept | None = None,
    handles: CalledBy | None = None,
    queue: str | None = None,
) -> StartedRun:
    """Start a run of a workflow's current version, or of the version named.

    `trigger` is what the trigger saw (plain JSON). `dedupe_key` is prefixed (`store/intake.py`): a second start with
    it finds the first one's run. `handles` is the failed run that it is started for: its own failure calls nobody.
    `queue` is where it goes unless its settings say otherwise.
    Joins the caller's transaction; workers hear of it at the commit.
    Raises NotFound, Conflict (`workflow_inactive`, `workflow_archived`, `limit_full`), StartSkipped, TooManyRequests
    (`limit_queue_full`), QuotaExceeded, DayQuotaExceeded, InvalidInput for inputs.
    """
    for _ in range(ATTEMPTS):
        known = runnable.find(workflow_id, workspace_id=workspace_id, number=version)
        checked = known.checked(inputs)
        is_chosen = kept is not None or handles is not None  # this very run is wanted, not one for several starts
        place = known.place(checked, trigger, is_awaited=mode is RunMode.SYNC, queue=queue, may_gather=not is_chosen)
        run = NewRun(
            workspace_id=workspace_id,
            workflow_id=workflow_id,
            version_id=known.version_id,
            inputs=checked,
            trigger=trigger,
            trigger_id=trigger_id,
            created_by_id=created_by_id,
            mode=int(mode),
            dedupe_key=dedupe_key,
            parent_run_id=kept.run_id if kept else None,
            deadline_seconds=known.deadline_seconds,
            called_by=handles,
            calls_on_failure=known.calls_on_failure and handles is None,
            queue=place.queue,
            priority=place.priority,
            slot=place.slot,
            gathering=place.gathering,
        )
        started = _insert_counted(run, is_pinned=version is not None, kept=kept)
        if started is not None:
            ring_on_commit()
            limits.after_start(run.slot, started.status)
            return StartedRun(started.id, started.uid, known, started.created_at, started.status)
        runnable.look_again(workflow_id, workspace_id=workspace_id)
    raise Conflict("The workflow is being changed all the time. Try again.", code="workflow_changing")


def _insert_counted(run: NewRun, *, is_pinned: bool, kept: Kept | None) -> Started | None:
    """Insert within the workspace's quotas; a handler's run belongs to the failed one and is not counted."""
    if run.called_by is not None:
        return _insert(run, is_pinned=is_pinned, kept=kept)
    with run_quota.place(run.workspace_id) as place:
        started = _insert(run, is_pinned=is_pinned, kept=kept)
        place.is_used = started is not None and not started.is_duplicate
    return started


def _insert(run: NewRun, *, is_pinned: bool, kept: Kept | None) -> Started | None:
    kept_paths = kept.paths if kept else None
    if run.slot is None:
        with connection.cursor() as cursor:
            return start_run(cursor, run, is_pinned=is_pinned, kept=kept_paths) or find_duplicate(cursor, run)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            return start_run(cursor, run, is_pinned=is_pinned, kept=kept_paths) or find_duplicate(cursor, run)
    except LimitFull as full:
        raise limits.refusal(full) from full


def visible_runs(caller: Caller) -> QuerySet[Run]:
    """The runs a caller may look at."""
    caller.require(Permission.RUNS_READ)
    return scoped(Run.objects.all(), caller)


def cancel(caller: Caller, uid: UUID | str) -> tuple[Run, RunStatus]:
    """Cancel a run; return it and its status now.

    CANCELLED when nobody was working on it. RUNNING when a worker was told: it stops at its next heartbeat or
    checkpoint, within about two seconds. Raises Conflict when the run has ended.
    """
    run = get_scoped(Run.objects.all(), caller, uid, by="uid")
    require_on_workflow(caller, Permission.RUNS_CANCEL, run.workflow_id)
    with transaction.atomic():
        with connection.cursor() as cursor:
            status = cancel_runs(cursor, [run.id]).get(run.id)
            limits.after_end([run.id])
        if status is None:
            raise _already_over(run)
        record(
            actor=caller,
            workspace_id=run.workspace_id,
            action="run.cancel",
            target_kind="run",
            target_id=run.uid,
            summary=f"Cancelled a run of workflow {run.workflow_id}.",
        )
    return run, RunStatus(status)


def _already_over(run: Run) -> Conflict:
    run.refresh_from_db(fields=["status"])
    return Conflict(
        f"The run has ended already: it is {run.status_word}. Only a run that has not ended can be cancelled.",
        code="run_is_final",
        details={"run_status": run.status_word},
    )
