"""Measure how many bytes the runs and files of each workspace take: from a sample of pages, of small tables all."""

from __future__ import annotations

from typing import Any
from uuid import UUID

PAGES = 500  # of each table; some 10,000 rows
PAGE_BYTES = 8192
ROW_BYTES = 100  # of a row's own columns, beside the values that are weighed

IS_DUE = "select coalesce(max(measured_at) < now() - make_interval(secs => %s), true) from automation_storageuse"
TABLE_BYTES = "select pg_relation_size(%s::regclass)"

# pg_column_size tells the stored size of a value, compressed and outside of its row, without reading it.
_JOIN = "join automation_run r on r.id = t.run_id"


def _weigh(table: str, *columns: str, join: str = _JOIN) -> str:
    weight = " + ".join(f"coalesce(pg_column_size(t.{column}), 0)" for column in columns) or "0"
    return f"""
select r.workspace_id, sum({weight} + %(row)s)::bigint
from {table} t tablesample system (%(percent)s) {join} group by r.workspace_id
"""


WEIGH_RUNS = _weigh("automation_run", join="").replace("r.workspace_id", "t.workspace_id")
WEIGH_DATA = _weigh("automation_rundata", "input", "output", "error", "response")
WEIGH_STEPS = _weigh("automation_steprun", "output", "reason", "error")
WEIGH_PAYLOADS = _weigh("automation_payload", "data")
WEIGH_LOGS = _weigh("automation_runlog", "message", "fields")
WEIGH_FILES = """
select t.workspace_id, sum(t.size + %(row)s)::bigint
from automation_storedfile t tablesample system (%(percent)s) group by t.workspace_id
"""

STATEMENTS = {
    "automation_run": WEIGH_RUNS,
    "automation_rundata": WEIGH_DATA,
    "automation_steprun": WEIGH_STEPS,
    "automation_payload": WEIGH_PAYLOADS,
    "automation_runlog": WEIGH_LOGS,
    "automation_storedfile": WEIGH_FILES,
}

# Workspaces that have nothing any more fall to zero.
KEEP = """
insert into automation_storageuse as u (workspace_id, used_bytes, measured_at)
select w.id, coalesce(m.bytes, 0), now()
from accounts_workspace w left join unnest(%s::uuid[], %s::bigint[]) as m(id, bytes) on m.id = w.id
where m.id is not null or exists (select from automation_storageuse s where s.workspace_id = w.id)
order by w.id
on conflict (workspace_id) do update set used_bytes = excluded.used_bytes, measured_at = excluded.measured_at
"""


def is_due(cursor: Any, *, seconds: float) -> bool:
    """True when nothing was measured for so long."""
    cursor.execute(IS_DUE, (seconds,))
    return bool(cursor.fetchone()[0])


def weigh(cursor: Any, table: str) -> dict[UUID, int]:
    """About how many bytes of a table belong to each workspace."""
    cursor.execute(TABLE_BYTES, (table,))
    pages = cursor.fetchone()[0] / PAGE_BYTES
    percent = min(100.0, 100 * PAGES / pages) if pages else 100.0
    cursor.execute(STATEMENTS[table], {"percent": percent, "row": ROW_BYTES})
    return {workspace_id: round(found * 100 / percent) for workspace_id, found in cursor.fetchall()}


def keep(cursor: Any, used: dict[UUID, int]) -> None:
    """Store a measurement of all workspaces."""
    cursor.execute(KEEP, (list(used), list(used.values())))
