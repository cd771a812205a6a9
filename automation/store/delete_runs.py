"""Delete the runs of a workflow with everything that hangs on them, a bounded number at a time.

One transaction of the caller: its constraints are checked at the commit, when nothing points at a deleted row.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from automation.store.prune import WITH_DOOMED

BATCH = 5_000

DELETE_RUNS = f"""
with doomed as materialized (select id from automation_run where workflow_id = %s order by id desc limit %s),
{WITH_DOOMED}
select count(*) from gone
"""

# Runs of other workflows that these called outlive them.
UNTIE_CALLED = """
update automation_run r set called_by_run_id = null, called_by_path = null
from automation_run p where p.workflow_id = %s and r.called_by_run_id = p.id and r.workflow_id <> p.workflow_id
"""


def delete_runs(cursor: Any, workflow_id: UUID) -> int:
    """Delete all runs of a workflow on the caller's transaction; return how many there were."""
    cursor.execute(UNTIE_CALLED, (workflow_id,))
    total = 0
    while True:
        cursor.execute(DELETE_RUNS, (workflow_id, BATCH))
        count = int(cursor.fetchone()[0])
        total += count
        if count < BATCH:
            return total
