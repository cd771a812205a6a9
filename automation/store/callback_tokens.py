"""One-time URLs: a token in the address is the proof, and only its SHA-256 is stored.

The token is a keyed digest of where it was made, so that a step that asks again after a crash shows the same URL
although nobody kept it.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.conf import settings

from automation.store.commands import CommandContext
from brainops.core.crypto import signing_keys

MARK = "bo_cb_"
MOST_CHARACTERS = 100  # of what is worth a look in the database

MAKE = """
insert into automation_callback (token_hash, run_id, path, name, expires_at)
values (%(hash)s, %(run)s, %(path)s, %(name)s, %(expires_at)s)
on conflict (run_id, path) do nothing
"""
FIND = "select token_hash, expires_at from automation_callback where run_id = %(run)s and path = %(path)s"
REPLACE = "update automation_callback set token_hash = %(hash)s where run_id = %(run)s and path = %(path)s"


def url_for(
    cursor: Any, context: CommandContext, name: str, *, expires_at: datetime | None
) -> tuple[str, datetime | None]:
    """The URL of a step and when it expires. Made at the first call, the same ever after."""
    place = {"run": context.run_id, "path": context.path}
    tokens = list(_tokens(context))
    cursor.execute(MAKE, {**place, "hash": hash_of(tokens[0]), "name": name, "expires_at": expires_at})
    cursor.execute(FIND, place)
    stored, expires_at = cursor.fetchone()
    token = next((token for token in tokens if hash_of(token) == bytes(stored)), None)
    if token is None:  # its key was taken off the ring: the URL of before works as little as anything signed with it
        token = tokens[0]
        cursor.execute(REPLACE, {**place, "hash": hash_of(token)})
    return f"{settings.BRAINOPS_PUBLIC_URL}{settings.BRAINOPS_API_PREFIX}/callbacks/{token}", expires_at


def hash_of(token: str) -> bytes:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).digest()


def _tokens(context: CommandContext) -> Iterator[str]:
    """The tokens of a step, one for each key of the ring, the present one first."""
    message = f"{context.run_uid}|{context.path}".encode()
    for key in signing_keys("callbacks"):
        yield MARK + urlsafe_b64encode(hmac.digest(key, message, hashlib.sha256)).rstrip(b"=").decode()
