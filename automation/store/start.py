"""Start a run of a workflow that is switched on: one round trip, and the database decides.

A process keeps what it knows about versions in memory (`services/runnable.py`). This guard is what keeps that
correct under change: a workflow that was switched off, archived, deleted or given a new version meanwhile matches
no row, nothing is inserted, and the caller looks again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from automation.engine.keep import KeptPaths
from automation.engine.status import RunStatus
from automation.store.intake import FIND_DUPLICATE, NewRun, start
from automation.store.limits import LimitFull
from automation.store.new_run import NEW_RUN, RUN_TYPES, gathered
from automation.store.prepared import PreparedStatement

GUARD = """
from automation_workflow w
where w.id = %(run_workflow_id)s and w.workspace_id = %(run_workspace_id)s and w.is_active and w.archived_at is null
  and (%(run_is_pinned)s or w.current_version_id = %(run_version_id)s)
"""

START = "with " + NEW_RUN.format(guard=GUARD) + "select id, uid, statement_timestamp() from new_run"
GATHERED_START = gathered(START)
_PREPARED = PreparedStatement("start", START, RUN_TYPES | {"run_is_pinned": "boolean"})

# What a retry keeps of the run it repeats stands in the same statement as the new run. Batches of loops in which
# items are done again are open (8) there; their `reason` names items that are done again although they succeeded.
START_WITH_KEPT = (
    "with "
    + NEW_RUN.format(guard=GUARD)
    + """, kept as (
  insert into automation_steprun (run_id, path, kind, status, attempt, is_kept, port, effect, output, output_ref,
                                  reason, error, started_at, finished_at)
  select n.id, s.path, s.kind, case when s.is_reopened then 8 else s.status end, s.attempt, true, s.port, s.effect,
         s.output, s.output_ref, case when s.is_reopened then %(kept_again)s::jsonb -> s.path else s.reason end,
         s.error, s.started_at, case when not s.is_reopened then s.finished_at end
  from new_run n, (
    select *, path = any(%(reopened_paths)s) as is_reopened from automation_steprun
    where run_id = %(run_parent_run_id)s and path = any(%(kept_paths)s)
  ) s
  where s.status >= 50 or s.is_reopened
), kept_payloads as (
  insert into automation_payload (run_id, sha256, size, codec, data)
  select n.id, p.sha256, p.size, p.codec, p.data from new_run n, automation_payload p
  where p.run_id = %(run_parent_run_id)s and exists (
    select from automation_steprun s
    where s.run_id = p.run_id and s.output_ref = p.sha256 and s.path = any(%(kept_paths)s))
  on conflict do nothing
)
select id, uid, statement_timestamp() from new_run
"""
)


@dataclass(frozen=True, slots=True)
class Started:
    """A run that stands in the database; `created_at` is None when it stood there before this call.

    `status` is QUEUED, or BLOCKED where it waits for its limit or gathers further starts.
    """

    id: int
    uid: UUID
    created_at: datetime | None = None
    status: RunStatus = RunStatus.QUEUED

    @property
    def is_duplicate(self) -> bool:
        """True when an earlier call with the same dedupe key made it."""
        return self.created_at is None


def start_run(cursor: Any, run: NewRun, *, is_pinned: bool = False, kept: KeptPaths | None = None) -> Started | None:
    """Insert a run if its workflow may run now; None when the guard (or a duplicate) said no.

    `is_pinned`: the version was asked for by name and need not be the current one. The caller rings the bell. With a
    limit the cursor is in a transaction. Raises LimitFull.
    """
    parameters: dict[str, Any] = {"run_is_pinned": is_pinned}
    statement: str | PreparedStatement = _PREPARED
    if kept is not None:
        statement, parameters = START_WITH_KEPT, parameters | _kept_parameters(kept)
    try:
        inserted = start(cursor, statement, run, parameters, is_pinned=is_pinned)
    except LimitFull:
        duplicate = find_duplicate(cursor, run)
        if duplicate is None:
            raise
        return duplicate
    if inserted is None:
        return None
    run_id, uid, created_at = inserted.row
    return Started(run_id, uid, created_at, inserted.status)


def _kept_parameters(kept: KeptPaths) -> dict[str, Any]:
    again: dict[str, list[int]] = {}
    for path, index in sorted(kept.items_again):
        again.setdefault(path, []).append(index)
    return {
        "kept_paths": sorted(kept.final | kept.reopened),
        "reopened_paths": sorted(kept.reopened),
        "kept_again": orjson.dumps({path: {"again": indexes} for path, indexes in again.items()}).decode(),
    }


def find_duplicate(cursor: Any, run: NewRun) -> Started | None:
    """The run that took the same dedupe key before."""
    if run.dedupe_key is None:
        return None
    cursor.execute(FIND_DUPLICATE, (run.workflow_id, run.dedupe_key))
    row = cursor.fetchone()
    return Started(row[0], row[1]) if row else None
