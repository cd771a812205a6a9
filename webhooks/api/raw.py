"""The raw bytes of a request's body, never more than the limit."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, UnreadablePostError

from brainops.core.errors import InvalidInput
from brainops.core.web.readers import reading


def read_raw(request: HttpRequest, *, most: int) -> tuple[bytes, int]:
    """`(body, size)`. A body larger than `most` is not read: its bytes come back empty, its size tells.

    A chunked body has no declared size: it is read up to one byte more than the limit.
    """
    declared = _declared(request.META.get("CONTENT_LENGTH"))
    if declared is not None and declared > most:
        return b"", declared
    stream: Any = request
    if declared is None and "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
        stream = request.environ["wsgi.input"]  # type: ignore[attr-defined]  # WSGIRequest has it
    try:
        with reading():
            body: bytes = stream.read(most + 1)
    except (UnreadablePostError, OSError) as error:
        raise InvalidInput("The body ended before it was complete.", code="incomplete_body") from error
    return (b"", len(body)) if len(body) > most else (body, len(body))


def _declared(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() else None
