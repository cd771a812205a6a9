"""A verified body becomes data: JSON, form fields or text, by its declared type. Never a file, a path or an object."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from brainops.core import json_gate
from brainops.core.errors import InvalidInput, UnsupportedMediaType

MOST_FIELDS = 1000
_UTF8 = frozenset({"", "utf-8", "utf8", "us-ascii", "ascii"})
_TEXT = frozenset({"", "application/octet-stream", "application/xml", "application/x-ndjson"})


def parse(content_type: str, body: bytes, *, json_field: str | None = None) -> Any:
    """The data of a body: null for none, JSON as it is, a form as an object, anything else in UTF-8 as text.

    `json_field` is a form field that carries JSON. Raises MalformedJson, InvalidInput or UnsupportedMediaType.
    """
    kind, charset = split_type(content_type)
    if charset not in _UTF8:
        raise UnsupportedMediaType(f"The charset {charset[:40]!r} is not read. Send UTF-8.")
    if not body:
        return None
    if kind == "application/json" or kind.endswith("+json"):
        return json_gate.read(body)
    if kind == "application/x-www-form-urlencoded":
        return _form(body, json_field)
    if kind in _TEXT or kind.startswith("text/"):
        return _text(body)
    raise UnsupportedMediaType(
        f"A body of type {kind[:80]!r} is not read. Send application/json, a URL-encoded form or text."
    )


def split_type(content_type: str) -> tuple[str, str]:
    """The lower-case media type and charset of a Content-Type header."""
    kind, *parameters = content_type.split(";")
    charset = ""
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            charset = value.strip().strip('"').lower()
    return kind.strip().lower(), charset


def read_query(query: str) -> dict[str, Any]:
    """A query string as an object. What cannot be read as UTF-8 keeps a replacement character."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=100, errors="replace")
    except ValueError:
        return {}
    return {name: _storable(value) for name, value in _grouped(pairs).items() if "\0" not in name}


def _form(body: bytes, json_field: str | None) -> Any:
    try:
        pairs = parse_qsl(
            _text(body), keep_blank_values=True, strict_parsing=True, max_num_fields=MOST_FIELDS, errors="strict"
        )
    except ValueError as error:  # also UnicodeDecodeError
        raise InvalidInput(f"The form cannot be read: {error}.", code="malformed_form") from error
    fields = _grouped(pairs)
    if json_field is not None and list(fields) == [json_field] and isinstance(fields[json_field], str):
        return json_gate.read(fields[json_field].encode())
    if "\0" in "".join(name + value for name, value in pairs):
        raise InvalidInput("The form holds a NUL character, which cannot be stored.", code="malformed_form")
    return fields


def _grouped(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """Repeated fields become a list, in their order."""
    fields: dict[str, Any] = {}
    for name, value in pairs:
        if name not in fields:
            fields[name] = value
        elif isinstance(fields[name], list):
            fields[name].append(value)
        else:
            fields[name] = [fields[name], value]
    return fields


def _text(body: bytes) -> str:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"The body is not UTF-8: byte {error.start} is {body[error.start]:#04x}.", code="malformed_text"
        ) from error
    if "\0" in text:
        raise InvalidInput(
            f"The body holds a NUL character at position {text.index(chr(0))}, which cannot be stored.",
            code="malformed_text",
        )
    return text


def _storable(value: Any) -> Any:
    if isinstance(value, list):
        return [_storable(item) for item in value]
    return value.replace("\0", "\ufffd")
