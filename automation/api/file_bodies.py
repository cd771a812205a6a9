"""Bodies that are files: read piece by piece, with a limit of their own, in one of the forms of the exchange format."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.http import UnreadablePostError
from rest_framework.request import Request

from automation.services.exchange.form import FORMS
from brainops.core import json_gate
from brainops.core.errors import InvalidInput, UnsupportedMediaType
from brainops.core.web.readers import reading

PIECE_BYTES = 64 << 10
_FORMS_BY_TYPE = {
    **{form.media_type: form.key for form in FORMS.values()},
    "application/ndjson": "ndjson",
    "application/jsonl": "ndjson",
    "application/x-yaml": "yaml",
    "text/yaml": "yaml",
    "application/x-zip-compressed": "zip",
}
_UTF8 = frozenset({"", "utf-8", "utf8"})


def form_of(request: Request) -> str:
    """The form that the Content-Type names. Raises UnsupportedMediaType."""
    kind, _, rest = (request.META.get("CONTENT_TYPE") or "").partition(";")
    form = _FORMS_BY_TYPE.get(kind.strip().lower())
    if form is None:
        known = ", ".join(form.media_type for form in FORMS.values())
        raise UnsupportedMediaType(f"The body is {kind.strip()[:80] or 'of no type'!r}. Send {known}.")
    if request.META.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity":
        raise UnsupportedMediaType("Compressed bodies are not read. Send a zip file as application/zip.")
    name, _, charset = rest.partition("=")
    if name.strip().lower() == "charset" and charset.strip().strip('"').lower() not in _UTF8:
        raise UnsupportedMediaType(f"The charset {charset.strip()[:40]!r} is not read. Send UTF-8.")
    return form


def pieces_of(request: Request) -> tuple[int, Iterator[bytes]]:
    """The body's declared size, and its bytes as they come. Raises TooLarge before anything is read."""
    declared = str(request.META.get("CONTENT_LENGTH") or "0")
    if not (declared.isascii() and declared.isdigit()):
        raise InvalidInput("Content-Length must be a number of bytes.")
    json_gate.check_size(int(declared), settings.BRAINOPS_LIMITS["import_bytes"])
    return int(declared), _pieces(request, int(declared))


def _pieces(request: Request, declared: int) -> Iterator[bytes]:
    """The body, from a place among those who read bodies. Raises InvalidInput when it ends too early."""
    left = declared
    with reading():
        while left:
            try:
                piece: bytes = request._request.read(min(PIECE_BYTES, left))
            except (UnreadablePostError, OSError) as error:
                raise _cut() from error
            if not piece:
                raise _cut()
            left -= len(piece)
            yield piece


def _cut() -> InvalidInput:
    return InvalidInput("The body ended before it was complete.", code="incomplete_body")
