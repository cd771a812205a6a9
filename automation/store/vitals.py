"""Numbers of a scrape: what is under way and what waits. What has ended costs nothing here."""

from __future__ import annotations

from typing import Any

from django.db import connection

_AGE = "coalesce(extract(epoch from now() - min(created_at)), 0)::float8"

# Each status has a partial index of its own: however many runs have ended, none of them is looked at.
OPEN_RUNS = "\nunion all\n".join(
    f"select {status}, count(*), {_AGE} from automation_run where status = {status}" for status in (10, 15, 18, 20, 30)
)
QUEUES = f"""
select queue, count(*), {_AGE}
from automation_run where status = 10 group by queue
"""
LAST_TICK = "select extract(epoch from now() - ran_at)::float8 from automation_tick where name = 'pulse'"
WORKERS = "select state, count(*) from automation_worker where state in (1, 2) group by state"
APPROVALS_WAITING = """
select count(*) from automation_approval a join automation_run r on r.id = a.run_id
where a.state = 'pending' and r.status < 50
"""
# pending ones have an index of their own; those given up go with the sweep
NOTICE_DELIVERIES = """
select 'pending', count(*) from automation_noticedelivery where state = 'pending'
union all
select 'failed', count(*) from automation_noticedelivery where state = 'failed'
  and created_at > now() - interval '1 day'
"""
TRANSFERS = """
select state, count(*) from automation_transfer where state in ('queued', 'running') group by state
union all
select state, count(*) from automation_transfer
where state = 'failed' and created_at > now() - interval '1 day' group by state
"""

# Those that are being looked at are not late: their next time is when others may take them for lost.
SOURCES = """
select count(*), count(*) filter (where last_error <> ''), count(*) filter (where waits_for <> ''),
       coalesce(extract(epoch from now() - min(next_at)), 0)::float8
from automation_source where next_at is not null
"""


def open_runs() -> list[tuple[Any, ...]]:
    """`(status, how many, age of the oldest in seconds)` of runs that have not ended."""
    return _rows(OPEN_RUNS)


def queues() -> list[tuple[Any, ...]]:
    """`(queue, how many, age of the oldest in seconds)` of runs that could start now."""
    return _rows(QUEUES)


def last_tick() -> float | None:
    """Seconds since the last periodic work, None before the first."""
    rows = _rows(LAST_TICK)
    return rows[0][0] if rows else None


def workers() -> list[tuple[Any, ...]]:
    """`(state, how many)` of workers that breathe or drain."""
    return _rows(WORKERS)


def approvals_waiting() -> int:
    """How many approvals nobody has decided, of runs that go on."""
    return int(_rows(APPROVALS_WAITING)[0][0])


def notice_deliveries() -> list[tuple[Any, ...]]:
    """`(state, how many)`: those to be sent, and those given up within a day."""
    return _rows(NOTICE_DELIVERIES)


def transfers() -> list[tuple[Any, ...]]:
    """`(state, how many)`: exports and imports under way, and those that failed within a day."""
    return _rows(TRANSFERS)


def sources() -> tuple[int, int, int, float]:
    """How many sources are looked at, cannot be read, show what waits; and how late the latest look is, in seconds."""
    ((count, failing, waiting, late),) = _rows(SOURCES)
    return count, failing, waiting, max(0.0, late)


def _rows(statement: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())
