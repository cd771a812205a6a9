"""Pause: one row that tells every worker to claim nothing. Heartbeats carry the word."""

from __future__ import annotations

from typing import Any

# A row of the ticks whose turn never comes: workers look for its name at each heartbeat, by primary key.
PAUSE = """
insert into automation_tick (name, next_at, ran_at) values ('pause', 'infinity', now()) on conflict (name) do nothing
returning name
"""
RESUME = "delete from automation_tick where name = 'pause' returning name"
PAUSED_SINCE = "select extract(epoch from now() - ran_at)::float8 from automation_tick where name = 'pause'"

# A worker has heard of it when it breathed after it; one second more, for a heartbeat that was on its way just then.
STILL_AT_WORK = """
select (select count(*) from automation_run where status = 20),
       (select count(*) from automation_worker w join automation_tick t on t.name = 'pause'
        where w.state = 1 and w.heartbeat_at < t.ran_at + interval '1 second')
"""


def pause(cursor: Any) -> bool:
    """Let nobody claim from the next heartbeat on; False when it was so already."""
    cursor.execute(PAUSE)
    return cursor.fetchone() is not None


def resume(cursor: Any) -> bool:
    """Let workers claim again; False when they did."""
    cursor.execute(RESUME)
    return cursor.fetchone() is not None


def paused_seconds(cursor: Any) -> float | None:
    """For how long nothing has been claimed on purpose; None when workers claim."""
    cursor.execute(PAUSED_SINCE)
    row = cursor.fetchone()
    return None if row is None else float(row[0])


def still_at_work(cursor: Any) -> tuple[int, int]:
    """How many runs are held, and how many workers may not have heard of the pause yet."""
    cursor.execute(STILL_AT_WORK)
    held, deaf = cursor.fetchone()
    return held, deaf
