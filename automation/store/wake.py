"""Timers: every wait is a row, and whoever ticks wakes what is due."""

from __future__ import annotations

from automation.store.connection import Connection

MOST_AT_ONCE = 500  # runs of one call

WAKE_DUE = f"""
with due as (
  select id from automation_run where status = 30 and wake_at <= now() order by wake_at limit {MOST_AT_ONCE}
  for update skip locked)
update automation_run r
set status = case when r.cancel_requested_at is not null then 52 when r.crashes >= 2 then 18 else 10 end,
    finished_at = case when r.cancel_requested_at is not null then now() end,
    finishes = case when r.cancel_requested_at is not null then 1 else 0 end,
    wake_at = null, wait_kind = null, wait_key = null
from due where r.id = due.id
returning r.id
"""

# Starts that were gathered long enough: the run is ready, or waits for its limit like every other.
WAKE_GATHERED = """
with due as (
  select id from automation_run where status = 15 and debounce_key is not null and wake_at <= now()
  order by wake_at limit 500 for update skip locked)
update automation_run r
set status = case when r.limit_key is null then 10 else 15 end, debounce_key = null, wake_at = null
from due where r.id = due.id
returning r.id
"""

# Runs nobody holds run out of time here; a running one is stopped by its own worker, which knows the deadline.
TIME_OUT = """
with late as (
  select id from automation_run
  where status in (10, 15, 18, 30) and deadline_at <= now() order by deadline_at limit 500 for update skip locked),
moved as (
  update automation_run r
  set status = 53, finished_at = now(), finishes = 1, wake_at = null, wait_kind = null, wait_key = null
  from late where r.id = late.id returning r.id, r.deadline_at)
update automation_rundata d
set error = jsonb_build_object('type', 'run_timeout', 'class', 'timeout', 'message',
  'The run reached its deadline at ' || to_char(m.deadline_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
  || '. Raise settings.timeout of the workflow to allow it more time.')
from moved m where d.run_id = m.id
returning d.run_id
"""


def wake_due(connection: Connection) -> int:
    """Queue waiting runs whose time has come; return how many. Up to 500 a call."""
    return len(connection.rows(WAKE_DUE))


def wake_gathered(connection: Connection) -> int:
    """Let runs go on that gathered starts until now; return how many. Up to 500 a call. Limits are looked at next."""
    return len(connection.rows(WAKE_GATHERED))


def time_out_late(connection: Connection) -> int:
    """End queued and waiting runs past their deadline; return how many. Up to 500 a call."""
    return len(connection.rows(TIME_OUT))
