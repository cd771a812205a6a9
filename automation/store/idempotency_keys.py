"""Idempotency keys: take one, find what it stood for, keep the answer. On the caller's transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

KEPT_SECONDS = 24 * 3600
MOST_FORGOTTEN = 20_000  # a sweep, of which there is one a minute

Place = tuple[UUID, str, str]  # workspace, caller, key: the primary key

# Two requests may get here with one key: the second waits for the first one's commit, then takes nothing.
# A key whose time is over starts anew.
TAKE = """
insert into automation_idempotencykey as k (workspace_id, caller, key, body_hash, headers) values (%s, %s, %s, %s, '{}')
on conflict (workspace_id, caller, key) do update
set body_hash = excluded.body_hash, status = null, answer = null, headers = '{}', created_at = statement_timestamp()
where k.created_at < statement_timestamp() - make_interval(secs => %s)
returning 1
"""

FIND = """
select body_hash, status, answer::text, headers::text from automation_idempotencykey
where workspace_id = %s and caller = %s and key = %s
"""

KEEP = """
update automation_idempotencykey set status = %s, answer = %s, headers = %s
where workspace_id = %s and caller = %s and key = %s
"""

FORGET = """
delete from automation_idempotencykey where ctid = any(array(
  select ctid from automation_idempotencykey where created_at < statement_timestamp() - make_interval(secs => %s)
  order by created_at limit %s))
"""


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What a key stands for: the hash of its request, and what that was answered."""

    digest: bytes
    status: int
    body: Any
    headers: dict[str, str]


def take(cursor: Any, place: Place, digest: bytes) -> bool:
    """True when the key is this request's now; False when an earlier one has it."""
    cursor.execute(TAKE, (*place, digest, KEPT_SECONDS))
    return cursor.fetchone() is not None


def find(cursor: Any, place: Place) -> KeptAnswer:
    """What a taken key stands for. The answer was kept in the transaction that took it, so it is there."""
    cursor.execute(FIND, place)
    digest, status, body, headers = cursor.fetchone()
    return KeptAnswer(bytes(digest), status, orjson.loads(body), orjson.loads(headers))


def keep(cursor: Any, place: Place, *, status: int, body: Any, headers: dict[str, str]) -> None:
    """Keep the answer of the request that took the key."""
    cursor.execute(KEEP, (status, _json(body), _json(headers), *place))


def forget_old(cursor: Any) -> int:
    """Delete keys whose time is over, a bounded number at a time; return how many."""
    cursor.execute(FORGET, (KEPT_SECONDS, MOST_FORGOTTEN))
    return int(cursor.rowcount)


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_UTC_Z).decode()
