"""Doubt: messages without an id of their own, stored but perhaps not acknowledged when their reader died.

A broker delivers those again. Nothing in them says that they are the same, but their content and their place do, and
that the broker marks them as delivered before. So the digests of what is being acknowledged are stored together with
what was started, and one marked delivery of each is dropped.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from time import monotonic
from typing import Any
from uuid import uuid4

from integrations.runner.brokers.contract import Json, Message

REMEMBERED_SECONDS = 3600.0  # after a new connection: by then the broker has delivered them again


class Doubt:
    """What may come a second time, on one connection. `cursor` is what its predecessor stored."""

    def __init__(self, cursor: Json) -> None:
        stored = cursor.get("in_doubt", ()) if isinstance(cursor, dict) else ()
        self._left = Counter(str(digest) for digest in stored)
        self._until = monotonic() + REMEMBERED_SECONDS

    def is_repeat(self, digest: str) -> bool:
        """True once for each delivery that was in doubt. Asked about marked deliveries only."""
        if self._left[digest] <= 0:
            return False
        self._left[digest] -= 1
        return True

    def cursor(self, taken: Sequence[Message]) -> Json:
        """What to store with `taken`: their digests, and those that have not come again yet."""
        left = self._left.elements() if monotonic() < self._until else ()
        digests = [*left, *(digest for digest in map(digest_in, taken) if digest)]
        return {"in_doubt": digests} if digests else {}


def digest_of(parts: Iterable[Any]) -> str:
    """A short name for the content of a message."""
    text = hashlib.sha256()
    for part in parts:
        raw = part if isinstance(part, bytes) else repr(part).encode()
        text.update(len(raw).to_bytes(8, "big") + raw)
    return text.hexdigest()[:32]


def key_of(digest: str) -> str:
    """A key for one delivery: two messages of the same content are two."""
    return f"{digest}/{uuid4()}"


def digest_in(message: Message) -> str:
    """The digest of a message whose key was made by `key_of`, else nothing."""
    return str(message.token[1]) if isinstance(message.token, tuple) else ""
