"""Idempotency keys: a request that is sent twice is done once and answered twice.

Source: draft-ietf-httpapi-idempotency-key-header. A key belongs to one caller in one workspace and lives 24 hours.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from django.db import connection, transaction

from automation.models import IdempotencyKey
from brainops.core import clock
from brainops.core.errors import Conflict, InvalidInput, Problem

HEADER = "Idempotency-Key"
KEPT = timedelta(hours=24)

_KEY = re.compile(r"[\x21-\x7e]{1,255}")

# Two requests may get here with one key: the second waits for the first one's commit, then finds its row.
# A key whose time is over starts anew.
TAKE = """
insert into automation_idempotencykey as k (workspace_id, caller, key, body_hash, headers) values (%s, %s, %s, %s, '{}')
on conflict (workspace_id, caller, key) do update
set body_hash = excluded.body_hash, status = null, answer = null, headers = '{}', created_at = statement_timestamp()
where k.created_at < statement_timestamp() - make_interval(secs => %s)
returning 1
"""
FIND = """
select body_hash, status, answer, headers from automation_idempotencykey
where workspace_id = %s and caller = %s and key = %s
"""
KEEP = """
update automation_idempotencykey set status = %s, answer = %s, headers = %s
where workspace_id = %s and caller = %s and key = %s
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request was answered. `is_replay`: an earlier request was answered this, nothing was done now."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    is_replay: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """A request that may be sent again.

    `caller` is `user:<id>` or `key:<id>`, `digest` the hash of what was said (`digest_of`).
    """

    key: str
    workspace_id: UUID
    caller: str
    digest: bytes

    @property
    def place(self) -> tuple[UUID, str, str]:
        """The primary key of its row."""
        return (self.workspace_id, self.caller, self.key)


def digest_of(method: str, path: str, body: Any) -> bytes:
    """The hash that tells two requests apart; the order of a body's fields does not matter."""
    text = orjson.dumps([method, path, body], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).digest()


def check_key(key: str) -> str:
    """The key itself. Raises InvalidInput when it is empty, too long or holds other than visible ASCII."""
    if _KEY.fullmatch(key):
        return key
    said = f"{HEADER} must be 1–255 visible ASCII characters, got {key[:40]!r}. Send a UUID, for example."
    problem = Problem("invalid_value", said, parameter=HEADER)
    raise InvalidInput(said, code="invalid_idempotency_key", problems=[problem])


def once(request: Request, work: Callable[[], Answer]) -> Answer:
    """Do `work` and keep its answer in one transaction, or give the answer that is kept already.

    Raises Conflict when the key stood for another request. An exception of `work` keeps nothing: the key stays free.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(TAKE, (*request.place, request.digest, KEPT.total_seconds()))
        if cursor.fetchone() is None:
            return _replay(cursor, request)
        answer = work()
        cursor.execute(KEEP, (answer.status, _json(answer.body), _json(answer.headers), *request.place))
        return answer


def forget_old() -> int:
    """Delete keys whose time is over; return how many."""
    deleted, _ = IdempotencyKey.objects.filter(created_at__lt=clock.now() - KEPT).delete()
    return deleted


def _replay(cursor: Any, request: Request) -> Answer:
    cursor.execute(FIND, request.place)
    body_hash, status, answer, headers = cursor.fetchone()
    if bytes(body_hash) != request.digest:
        raise Conflict(
            f"{HEADER} {request.key!r} was used for another request in the last 24 hours. Use a new key.",
            code="idempotency_key_reused",
        )
    return Answer(status, orjson.loads(answer), orjson.loads(headers), is_replay=True)


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_UTC_Z).decode()
