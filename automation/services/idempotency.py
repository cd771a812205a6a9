"""Idempotency keys: a request that is sent twice is done once and answered twice.

Source: draft-ietf-httpapi-idempotency-key-header. A key belongs to one caller in one workspace and lives 24 hours.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from django.db import connection, transaction

from automation.store import idempotency_keys
from brainops.core.api.answer import Answer
from brainops.core.errors import Conflict, InvalidInput, Problem

__all__ = ["HEADER", "Answer", "Request", "check_key", "digest_of", "forget_old", "once"]

HEADER = "Idempotency-Key"

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True, slots=True)
class Request:
    """A request that may be sent again.

    `caller` is `user:<id>` or `key:<id>`, `digest` the hash of what was said (`digest_of`).
    """

    key: str
    workspace_id: UUID
    caller: str
    digest: bytes


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
    place = (request.workspace_id, request.caller, request.key)
    with transaction.atomic(), connection.cursor() as cursor:
        if not idempotency_keys.take(cursor, place, request.digest):
            return _replay(request, idempotency_keys.find(cursor, place))
        answer = work()
        idempotency_keys.keep(cursor, place, status=answer.status, body=answer.body, headers=answer.headers)
        return answer


def forget_old() -> int:
    """Delete keys whose time is over, a bounded number at a time; return how many."""
    with connection.cursor() as cursor:
        return idempotency_keys.forget_old(cursor)


def _replay(request: Request, kept: idempotency_keys.KeptAnswer) -> Answer:
    if kept.digest == request.digest:
        return Answer(kept.status, kept.body, kept.headers, is_replay=True)
    raise Conflict(
        f"{HEADER} {request.key!r} was used for another request in the last 24 hours. Use a new key.",
        code="idempotency_key_reused",
    )
