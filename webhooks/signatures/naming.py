"""Small readers that providers' declarations are made of: texts of a parsed body, headers, the query."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from webhooks.signatures.contract import Attempt, Headers

MOST_HANDSHAKE_BYTES = 16 * 1024  # a handshake that is not signed may have so many


def text_at(*path: str) -> Callable[[Any], str | None]:
    """A reader of one text (or whole number) in a parsed body; None when there is none."""

    def read(body: Any) -> str | None:
        for key in path:
            body = body.get(key) if isinstance(body, dict) else None
        if isinstance(body, int) and not isinstance(body, bool):
            return str(body)
        return body if isinstance(body, str) and body else None

    return read


def event_at(*path: str) -> Callable[[Headers, Any], str]:
    """An event type that stands in the body."""
    read = text_at(*path)
    return lambda _headers, body: read(body) or ""


def event_header(name: str) -> Callable[[Headers, Any], str]:
    """An event type that stands in a header."""
    name = name.lower()
    return lambda headers, _body: headers.get(name, "")


def query_of(attempt: Attempt) -> dict[str, str]:
    """The query, the first of repeated names; empty when it is too long."""
    try:
        pairs = parse_qsl(attempt.query, keep_blank_values=True, max_num_fields=50, errors="replace")
    except ValueError:
        return {}
    return dict(reversed(pairs))


def fields_of(attempt: Attempt) -> dict[str, Any]:
    """The object of a short body that nobody has signed, empty when it is none."""
    body = attempt.read() if len(attempt.body) <= MOST_HANDSHAKE_BYTES else None
    return body if isinstance(body, dict) else {}
