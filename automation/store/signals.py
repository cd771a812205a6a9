"""Signals of a run: put one in, find one again, use a one-time URL. The caller holds the lock of the run's row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings

LOCK_RUN = "select status from automation_run where id = %s for no key update"

FIND_SIGNAL = "select payload::text from automation_signal where run_id = %s and name = %s and key = %s"
COUNT_WAITING = "select count(*) from automation_signal where run_id = %s and taken_by is null"
PUT = "insert into automation_signal (run_id, name, key, payload) values (%s, %s, %s, %s::jsonb)"

# The run is read before it is locked: the callback's row is locked after it, like everything of a run.
FIND_CALLBACK = """
select c.run_id, r.uid, r.workspace_id, c.name, c.path
from automation_callback c join automation_run r on r.id = c.run_id where c.token_hash = %s
"""
USE_CALLBACK = """
update automation_callback set used_at = now()
where token_hash = %s and used_at is null and (expires_at is null or expires_at > now())
returning name
"""
WHY_NOT = "select used_at from automation_callback where token_hash = %s"


@dataclass(frozen=True, slots=True)
class FoundCallback:
    """Where a one-time URL leads."""

    run_id: int
    run_uid: UUID
    workspace_id: UUID
    name: str
    path: str


def lock_run(cursor: Any, run_id: int) -> int | None:
    """Lock a run's row until the transaction ends; return its status, None when it is gone."""
    cursor.execute(LOCK_RUN, (run_id,))
    row = cursor.fetchone()
    return row[0] if row else None


def put_signal(cursor: Any, run_id: int, name: str, *, key: str | None, payload: str) -> None:
    """Store a signal; `payload` is JSON text."""
    cursor.execute(PUT, (run_id, name, key, payload))


def find_signal(cursor: Any, run_id: int, name: str, key: str) -> tuple[Any] | None:
    """The payload of the signal with that key, in a tuple; None when there is none."""
    cursor.execute(FIND_SIGNAL, (run_id, name, key))
    row = cursor.fetchone()
    return (orjson.loads(row[0]) if row[0] is not None else None,) if row else None


def count_waiting(cursor: Any, run_id: int) -> int:
    """How many signals no step has taken."""
    cursor.execute(COUNT_WAITING, (run_id,))
    count: int = cursor.fetchone()[0]
    return count


def find_callback(cursor: Any, token_hash: bytes) -> FoundCallback | None:
    """Where a token leads."""
    cursor.execute(FIND_CALLBACK, (token_hash,))
    row = cursor.fetchone()
    return FoundCallback(*row) if row else None


def use_callback(cursor: Any, token_hash: bytes) -> bool:
    """Use a token up; False when it was used before or has expired."""
    cursor.execute(USE_CALLBACK, (token_hash,))
    return cursor.fetchone() is not None


def used_at(cursor: Any, token_hash: bytes) -> datetime | None:
    """When a token was used; None when it never was."""
    cursor.execute(WHY_NOT, (token_hash,))
    row = cursor.fetchone()
    return row[0] if row else None


def too_large(what: str, encoded: str) -> str | None:
    """The sentence that refuses JSON text from people or from outside; None when it may be kept."""
    most: int = settings.BRAINOPS_LIMITS["signal_bytes"]
    size = len(encoded.encode())
    if size <= most:
        return None
    said = f"{what} takes {size:,} bytes as JSON, more than {most:,} (BRAINOPS_LIMIT_SIGNAL_BYTES)"
    return f"{said}. Send a part of it, or a reference."
