"""What is kept of a request's headers and query: readable, storable, without secrets, and not too much."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from brainops.core.redact import MASK, is_secret_key
from webhooks.services.bodies import read_query
from webhooks.services.parts import REFERENCE

MOST_HEADERS = 64
LONGEST_VALUE = 1024  # characters of one header or query value
# The connection's and the proxy's business, not the sender's message.
_DROPPED = frozenset({"connection", "transfer-encoding", "te", "trailer", "upgrade", "keep-alive", "expect"})


def keep_headers(headers: dict[str, str]) -> dict[str, str]:
    """The headers to store and to show to the workflow: signatures, tokens and cookies are masked."""
    kept = {}
    for name, value in headers.items():
        if name in _DROPPED or name == REFERENCE:  # nothing that a sender writes may name a file of ours
            continue
        kept[name] = MASK if _is_secret(name) else readable(value)
        if len(kept) == MOST_HEADERS:
            break
    return kept


def keep_query(query: str) -> dict[str, Any]:
    """The query as an object, secrets masked."""
    if not query:
        return {}
    return {
        name[:LONGEST_VALUE]: MASK if _is_secret(name) else _shortened(value)
        for name, value in read_query(query).items()
    }


@lru_cache(maxsize=1024)
def _is_secret(name: str) -> bool:
    return is_secret_key(name)


def _shortened(value: Any) -> Any:
    if isinstance(value, list):
        return [readable(item) for item in value]
    return readable(value)


def readable(value: str) -> str:
    """A text without control characters and surrogates, which JSON in PostgreSQL cannot hold, and not too long."""
    if len(value) <= LONGEST_VALUE and value.isascii() and value.isprintable():
        return value
    return "".join(character if character.isprintable() else "\ufffd" for character in value[:LONGEST_VALUE])
