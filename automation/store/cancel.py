"""Cancel a run: at once when nobody holds it, by a flag its worker sees within a heartbeat when somebody does."""

from __future__ import annotations

from typing import Any

# Steps that still waited end with it: a trigger of the database sees to that (migration 0010).
CANCEL = """
update automation_run
set status = case when status = 20 then 20 else 52 end,
    finished_at = case when status = 20 then null else now() end,
    finishes = case when status = 20 then 0 else 1 end,
    cancel_requested_at = coalesce(cancel_requested_at, now()),
    wake_at = case when status = 20 then wake_at end, wait_kind = null, wait_key = null
where id = any(%s) and status < 50
returning id, status
"""


def cancel_runs(cursor: Any, run_ids: list[int]) -> dict[int, int]:
    """Cancel some runs; return `{run id: status now}` of those that were not final.

    52 means cancelled for good; 20 means its worker was told and stops at the next checkpoint or heartbeat.
    """
    cursor.execute(CANCEL, (run_ids,))
    return dict(cursor.fetchall())
