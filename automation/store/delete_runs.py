"""Delete the runs of workflows with everything that hangs on them, a bounded number at a time.

One transaction of the caller: its constraints are checked at the commit, when nothing points at a deleted row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from automation.store.prune import WITH_DOOMED

BATCH = 5_000

# "between" instead of "=": the planner would drop an equal column from the order, and walk another index for it.
DELETE_RUNS = f"""
with doomed as materialized (
  select r.id from unnest(%s::uuid[]) as w(id)
  cross join lateral (select id from automation_run where workflow_id between w.id and w.id
                      order by workflow_id, id desc limit %s) r
  limit %s),
{WITH_DOOMED}
select count(*) from gone
"""

# Runs of other workflows that these called outlive them.
UNTIE_CALLED = """
update automation_run r set called_by_run_id = null, called_by_path = null
from automation_run p where p.workflow_id = any(%s) and r.called_by_run_id = p.id and r.workflow_id <> all(%s)
"""


def delete_runs(cursor: Any, workflow_ids: Sequence[UUID]) -> int:
    """Delete all runs of some workflows on the caller's transaction; return how many there were."""
    ids = list(workflow_ids)
    cursor.execute(UNTIE_CALLED, (ids, ids))
    total = 0
    while True:
        cursor.execute(DELETE_RUNS, (ids, BATCH, BATCH))
        count = int(cursor.fetchone()[0])
        total += count
        if count < BATCH:
            return total
