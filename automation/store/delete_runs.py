"""Delete the runs of a workflow with everything that hangs on them, a bounded number at a time.

Newest first: a retry is always newer than the run it repeats, so no row ever points at a deleted one.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

BATCH = 5_000

DELETE_RUNS = """
with doomed as materialized (select id from automation_run where workflow_id = %s order by id desc limit %s),
 lines as (delete from automation_runlog l using doomed where l.run_id = doomed.id),
 steps as (delete from automation_steprun s using doomed where s.run_id = doomed.id),
 data as (delete from automation_rundata d using doomed where d.run_id = doomed.id),
 gone as (delete from automation_run r using doomed where r.id = doomed.id returning 1)
select count(*) from gone
"""


def delete_runs(cursor: Any, workflow_id: UUID) -> int:
    """Delete all runs of a workflow on the caller's transaction; return how many there were."""
    total = 0
    while True:
        cursor.execute(DELETE_RUNS, (workflow_id, BATCH))
        count = int(cursor.fetchone()[0])
        total += count
        if count < BATCH:
            return total
