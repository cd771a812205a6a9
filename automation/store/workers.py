"""The register of worker processes: names under advisory locks, heartbeats, and the end of a worker."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from automation.store.checkpoint import dumps
from automation.store.connection import Connection

LOCK_SPACE = zlib.crc32(b"brainops.worker") & 0x7FFFFFFF

# Whoever holds the lock of a name is its only owner: a live row of that name belongs to a process that lost it.
REGISTER = """
with before as (update automation_worker set state = 3 where name = %(name)s and state in (1, 2) returning id)
insert into automation_worker (id, name, host, pid, release, slots)
values (%(id)s, %(name)s, %(host)s, %(pid)s, %(release)s, %(slots)s)
returning (select count(*) from before)
"""

# One statement says: I live, what I do, which of my runs must stop, and whether work is waiting.
HEARTBEAT = """
with hb as (
  update automation_worker set heartbeat_at = now(), busy = %(busy)s::jsonb where id = %(id)s and state in (1, 2)
  returning id)
select (select count(*) from hb),
       (select coalesce(array_agg(r.id), '{}') from automation_run r join hb on r.worker_id = hb.id
        where r.status = 20 and r.cancel_requested_at is not null),
       exists (select 1 from automation_run where status = 10),
       exists (select 1 from automation_run where status = 18)
"""

SET_STATE = "update automation_worker set state = %s where id = %s and state in (1, 2)"


@dataclass(frozen=True, slots=True)
class Beat:
    """What a heartbeat brought back. `is_alive` is False when another process declared this one dead."""

    is_alive: bool
    cancelled: frozenset[int]
    has_ready: bool
    has_suspects: bool


def take_name(connection: Connection, *, host: str, most: int = 256) -> str:
    """Take the first free `host/slot` name under a session lock. The lock lives as long as the connection.

    Raises RuntimeError when `most` workers of this host hold a name.
    """
    space = LOCK_SPACE ^ (zlib.crc32(host.encode()) & 0x7FFFFFFF)
    for slot in range(most):
        if connection.rows("select pg_try_advisory_lock(%s, %s)", (space, slot))[0][0]:
            return f"{host}/{slot}"
    raise RuntimeError(f"Host {host!r} already runs {most} workers: no name is left for another one.")


def register(connection: Connection, *, worker_id: UUID, name: str, pid: int, release: str, slots: int) -> int:
    """Register a process under `name`; return how many predecessors of that name were declared dead by it."""
    host = name.rpartition("/")[0]
    parameters = {"id": worker_id, "name": name, "host": host, "pid": pid, "release": release, "slots": slots}
    return int(connection.rows(REGISTER, parameters)[0][0])


def beat(connection: Connection, *, worker_id: UUID, busy: list[dict[str, Any]]) -> Beat:
    """Say that this worker lives and what its slots are on."""
    alive, cancelled, ready, suspects = connection.rows(HEARTBEAT, {"id": worker_id, "busy": dumps(busy)})[0]
    return Beat(bool(alive), frozenset(cancelled), ready, suspects)


def set_state(connection: Connection, *, worker_id: UUID, state: int) -> None:
    """Move a worker to draining (2) or gone (4)."""
    connection.rows(SET_STATE, (state, worker_id))
