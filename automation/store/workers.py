"""The register of worker processes: names under advisory locks, heartbeats, and the end of a worker."""

from __future__ import annotations

import os
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from automation.store.checkpoint import dumps
from automation.store.connection import Connection

LOCK_SPACE = zlib.crc32(b"brainops.worker") & 0x7FFFFFFF

# A live row of a name whose lock nobody else holds belongs to a process that died, or to one whose connection broke.
NEIGHBOURS = "select id, name, pid from automation_worker where host = %s and state in (1, 2)"
TRY_LOCK = "select pg_try_advisory_lock(%s, %s)"
UNLOCK = "select pg_advisory_unlock(%s, %s)"
REGISTER = """
with before as (
  update automation_worker set state = 3 where id = any(%(dead)s::uuid[]) and state in (1, 2) returning id)
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
       (select coalesce(array_agg(array[r.id, r.signals]), '{}') from automation_run r join hb on r.worker_id = hb.id
        where r.status = 20 and r.signals > 0),
       exists (select 1 from automation_run where status = 10),
       exists (select 1 from automation_run where status = 18),
       exists (select 1 from automation_tick where name = 'pause'),
       (select coalesce(array_agg(id), '{}') from automation_worker
        where state in (1, 2) and heartbeat_at < now() - make_interval(secs => %(silence)s))
"""

RENAME = "update automation_worker set name = %s where id = %s"
SET_STATE = "update automation_worker set state = %s where id = %s and state in (1, 2)"


@dataclass(frozen=True, slots=True)
class Beat:
    """What a heartbeat brought back. `is_alive` is False when another process declared this one dead."""

    is_alive: bool
    cancelled: frozenset[int]
    news: Mapping[int, int]  # of runs under way, by id, how many signals they have been given
    has_ready: bool
    has_suspects: bool
    silent: frozenset[UUID] = frozenset()  # workers that did not breathe for half the dead time
    is_paused: bool = False  # nobody is to claim anything


def take_name(connection: Connection, *, host: str, most: int = 256) -> str:
    """Take the first free `host/slot` name under a session lock. The lock lives as long as the connection.

    Raises RuntimeError when `most` workers of this host hold a name.
    """
    for slot in range(most):
        if connection.rows(TRY_LOCK, (_space(host), slot))[0][0]:
            return f"{host}/{slot}"
    raise RuntimeError(f"Host {host!r} already runs {most} workers: no name is left for another one.")


def register(connection: Connection, *, worker_id: UUID, name: str, pid: int, release: str, slots: int) -> int:
    """Register a process under `name`; return how many processes of its host were declared dead by it.

    Only one that is gone from this host, and whose name nobody holds: one that merely lost its connection, and so its
    lock, breathes again in a moment. Where processes die faster than any lives long enough to judge others, this is
    what gives their runs back.
    """
    host = name.rpartition("/")[0]
    neighbours = connection.rows(NEIGHBOURS, (host,))
    dead = [other for other, its_name, its_pid in neighbours if _is_dead(connection, its_name, its_pid, name, pid)]
    parameters = {"id": worker_id, "name": name, "host": host, "pid": pid, "release": release, "slots": slots}
    parameters["dead"] = dead
    return int(connection.rows(REGISTER, parameters)[0][0])


def _is_dead(connection: Connection, its_name: str, its_pid: int, name: str, pid: int) -> bool:
    if its_name == name:
        return its_pid == pid or is_gone(its_pid)
    return is_gone(its_pid) and _is_free(connection, its_name)


def _is_free(connection: Connection, name: str) -> bool:
    """True when nobody holds the name's lock."""
    host, _, slot = name.rpartition("/")
    if not slot.isdigit() or not connection.rows(TRY_LOCK, (_space(host), int(slot)))[0][0]:
        return False
    connection.rows(UNLOCK, (_space(host), int(slot)))
    return True


def _space(host: str) -> int:
    """The advisory locks of a host's names."""
    return LOCK_SPACE ^ (zlib.crc32(host.encode()) & 0x7FFFFFFF)


def rename(connection: Connection, *, worker_id: UUID, name: str) -> None:
    """Say the name a living worker holds now: after a broken connection it may be another one."""
    connection.rows(RENAME, (name, worker_id))


def is_gone(pid: int) -> bool:
    """True when no process of this host has `pid`, or only a dead one that nobody waited for."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    with suppress(OSError):  # no /proc on macOS
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z"
    return False


def beat(connection: Connection, *, worker_id: UUID, busy: list[dict[str, Any]], silence_seconds: float = 60.0) -> Beat:
    """Say that this worker lives and what its slots are on; hear who was silent for `silence_seconds`."""
    parameters = {"id": worker_id, "busy": dumps(busy), "silence": silence_seconds}
    alive, cancelled, news, ready, suspects, is_paused, silent = connection.rows(HEARTBEAT, parameters)[0]
    quiet = frozenset(map(UUID, map(str, silent)))
    return Beat(bool(alive), frozenset(cancelled), dict(news), ready, suspects, quiet, is_paused)


def set_state(connection: Connection, *, worker_id: UUID, state: int) -> None:
    """Move a worker to draining (2) or gone (4)."""
    connection.rows(SET_STATE, (state, worker_id))
