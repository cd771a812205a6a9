"""Insert many runs in one statement: those that nothing holds back and whose input is small.

Ten thousand schedules that are due in the same minute would else be ten thousand statements, one after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.conf import settings

from automation.store.intake import NewRun, find_accepted
from automation.store.new_run import ONCE

MOST_ROWS = 500  # of one statement

COLUMNS = {  # and their types
    **dict.fromkeys(("run_workspace_id", "run_workflow_id", "run_version_id", "run_trigger_id"), "uuid"),
    "run_created_by_id": "uuid",
    **dict.fromkeys(("run_mode", "run_priority", "run_status"), "smallint"),
    **dict.fromkeys(("run_queue", "run_dedupe_key", "run_input"), "text"),
    "run_deadline_seconds": "float8",
    "run_calls_on_failure": "boolean",
}
_LISTS = ", ".join(f"%({name})s::{type_}[]" for name, type_ in COLUMNS.items())

# `n` keeps the order in which they were given.
INSERT_MANY = f"""
with wanted as (
  select * from unnest({_LISTS}) with ordinality as w({", ".join(COLUMNS)}, n)
), new_run as (
  insert into automation_run (workspace_id, workflow_id, version_id, trigger_id, created_by_id, mode, queue, priority,
                              dedupe_key, deadline_at, is_detached, depth, calls_on_failure, status)
  select run_workspace_id, run_workflow_id, run_version_id, run_trigger_id, run_created_by_id, run_mode, run_queue,
         run_priority, run_dedupe_key, now() + make_interval(secs => run_deadline_seconds), false, 0,
         run_calls_on_failure, run_status
  from wanted order by n
  {ONCE}
  returning id, uid, workflow_id, dedupe_key
), new_data as (
  insert into automation_rundata (run_id, input)
  select r.id, w.run_input::jsonb
  from new_run r join wanted w on w.run_workflow_id = r.workflow_id and w.run_dedupe_key = r.dedupe_key
)
select uid, workflow_id, dedupe_key from new_run
"""


def may_go_together(run: NewRun) -> bool:
    """Whether a run may be inserted with others: it has a dedupe key, no limit, no files, and a small input."""
    if run.dedupe_key is None or run.slot or run.gathering or run.called_by or run.parent_run_id:
        return False
    raw = run.parameters()["run_input"]
    return len(raw) * 4 <= settings.BRAINOPS_INLINE_BYTES and "$file" not in raw


def insert_many(cursor: Any, runs: Sequence[NewRun]) -> list[UUID]:
    """Insert runs that may go together; return their uids in the same order.

    Of one whose dedupe key is taken already, the uid of the run that took it. The caller rings the bell.
    """
    found: dict[tuple[UUID, str | None], UUID] = {}
    for start in range(0, len(runs), MOST_ROWS):
        rows = [run.parameters() for run in runs[start : start + MOST_ROWS]]
        cursor.execute(INSERT_MANY, {name: [row[name] for row in rows] for name in COLUMNS})
        found |= {(workflow_id, key): uid for uid, workflow_id, key in cursor.fetchall()}
    return [found.get((run.workflow_id, run.dedupe_key)) or _taken(cursor, run) for run in runs]


def _taken(cursor: Any, run: NewRun) -> UUID:
    duplicate = find_accepted(cursor, run)
    if duplicate is None:
        raise LookupError(f"Run with the dedupe key {run.dedupe_key!r} was there and is gone.")
    return duplicate.uid
