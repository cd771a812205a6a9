"""multipart/form-data: fields become data, files become parts. Read by Django's own parser, in memory only.

Source: RFC 7578. The number of parts is known before the first is read, so that a crowd of them costs nothing.
"""

from __future__ import annotations

import io
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadhandler import FileUploadHandler
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from django.utils.http import parse_header_parameters

from brainops.core.errors import InvalidInput
from webhooks.services.charsets import python_name
from webhooks.services.parts import FilePart

MOST_PARTS = 1000
MOST_FILES = 20
_UNREADABLE = "\N{REPLACEMENT CHARACTER}"


def read(content_type: str, body: bytes, charset: str) -> dict[str, Any]:
    """Fields and files by name; what comes more than once is a list. Raises InvalidInput (`malformed_form`)."""
    _require_few(content_type, body)
    keeper = _Keeper()
    meta = {"CONTENT_TYPE": content_type, "CONTENT_LENGTH": len(body)}
    try:
        fields, files = MultiPartParser(meta, io.BytesIO(body), [keeper], python_name(charset)).parse()
    except (MultiPartParserError, SuspiciousOperation, UnicodeError) as error:
        raise InvalidInput(f"The form cannot be read: {str(error)[:200]}", code="malformed_form") from error
    found: dict[str, list[Any]] = {}
    for name, texts in fields.lists():
        found[name] = list(texts)
    for name, uploads in files.lists():
        found.setdefault(name, []).extend(upload.part for upload in uploads)
    _require_readable(found, body)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


class _Upload:
    """A file as Django's parser wants one: it closes those it has when the form turns out to be broken."""

    def __init__(self, part: FilePart) -> None:
        self.part = part

    def close(self) -> None:
        """Nothing is open."""


class _Keeper(FileUploadHandler):
    """Keeps files as bytes: nothing is written to a disk, and no name becomes a path."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self._count = 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin the next file."""
        super().new_file(*args, **kwargs)
        self._pieces = []
        self._count += 1
        if self._count > MOST_FILES:
            raise MultiPartParserError(f"It holds more than {MOST_FILES} files.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Take a piece."""
        self._pieces.append(bytes(raw_data))

    def file_complete(self, file_size: int) -> Any:
        """The whole file."""
        return _Upload(FilePart(self.file_name or "file", self.content_type or "", b"".join(self._pieces)))


def _require_few(content_type: str, body: bytes) -> None:
    """Refuse a crowd of parts before the first is read, and a form that was cut short."""
    boundary = b"--" + parse_header_parameters(content_type)[1].get("boundary", "").encode(errors="replace")
    if body.count(boundary) > MOST_PARTS + 1:  # the last one ends the form
        raise InvalidInput(f"The form has more than {MOST_PARTS} parts.", code="malformed_form")
    if boundary + b"--" not in body:
        raise InvalidInput("The form ends before its last boundary.", code="malformed_form")


def _require_readable(found: dict[str, list[Any]], body: bytes) -> None:
    """Refuse what the parser could not read and replaced, and what no column can hold."""
    texts = [*found, *(value for values in found.values() for value in values if isinstance(value, str))]
    if any("\0" in text for text in texts):
        raise InvalidInput("The form holds a NUL character, which cannot be stored.", code="malformed_form")
    if any(_UNREADABLE in text for text in texts) and _UNREADABLE.encode() not in body:
        raise InvalidInput("A field of the form is not of the charset it should be: send UTF-8.", code="malformed_form")
