"""Give the runs of dead workers back: first crash to the queue, later ones to the isolation lane."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from automation.engine.points import reach
from automation.store.connection import Connection

# Silence counts only while the database itself has been up for a whole dead interval: after an outage every
# heartbeat is late, and nobody may be declared dead for that. A frozen server has not restarted, and this very
# statement may have waited in it: only workers that were known to be silent before it was sent are in the list.
DECLARE_DEAD = """
update automation_worker set state = 3
where id = any(%(silent)s::uuid[]) and state in (1, 2) and heartbeat_at < now() - make_interval(secs => %(dead)s)
  and pg_postmaster_start_time() < now() - make_interval(secs => %(dead)s)
returning id
"""

RECOVER = """
with lost as (
  select r.id from automation_run r
  where r.status = 20 and r.worker_id in (select id from automation_worker where state in (3, 4))
  order by r.id limit 500 for update skip locked)
update automation_run r
set status = case when r.cancel_requested_at is not null then 52 when r.crashes + 1 >= 2 then 18 else 10 end,
    finished_at = case when r.cancel_requested_at is not null then now() end,
    finishes = case when r.cancel_requested_at is not null then 1 else 0 end,
    crashes = r.crashes + 1, worker_id = null, claim = null
from lost where r.id = lost.id
returning r.id, r.status
"""

# A claim without a worker row can only come from a restored backup or a hand edit; it must not hang either.
PRUNE = "delete from automation_worker where state in (3, 4) and heartbeat_at < now() - interval '1 day'"
ORPHANS = """
update automation_run r set status = 10, crashes = crashes + 1, worker_id = null, claim = null
where r.status = 20 and not exists (select 1 from automation_worker w where w.id = r.worker_id)
returning r.id, r.status
"""


def declare_dead(connection: Connection, silent: Collection[UUID], *, dead_seconds: float) -> int:
    """Declare those of `silent` dead whose last heartbeat is older than `dead_seconds`; return how many."""
    if not silent:
        return 0
    return len(connection.rows(DECLARE_DEAD, {"silent": list(silent), "dead": dead_seconds}))


def recover_runs(connection: Connection) -> dict[int, int]:
    """Take the runs of dead workers back; return `{run id: status now}`. Up to 500 a call."""
    taken = dict(connection.rows(RECOVER))
    if taken:
        reach("in_recover")
    return taken


def recover_orphans(connection: Connection) -> dict[int, int]:
    """Take back runs whose worker row is gone, and forget workers that ended a day ago."""
    connection.rows(PRUNE)
    return dict(connection.rows(ORPHANS))
