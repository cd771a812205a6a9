"""A verified body becomes data by its declared type: JSON, form fields, XML, text, or a file of bytes.

Nothing is guessed: a type that is not declared is text in UTF-8. Files are made here, of a multipart form or of a whole
body, and nowhere else.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from brainops.core import json_gate
from brainops.core.errors import InvalidInput
from webhooks.services import multipart, xml_bodies
from webhooks.services.charsets import UTF_8, decode, python_name
from webhooks.services.parts import REFERENCE, FilePart, refuse_references

MOST_FIELDS = 1000
_TEXT = frozenset({"", "application/x-ndjson", "application/javascript"})
_XML = frozenset({"application/xml", "text/xml"})
_UTF8_NAMES = frozenset({"", UTF_8, "utf8", "us-ascii", "ascii"})


class Body(NamedTuple):
    """The data of a body; of XML its text as well."""

    data: Any
    text: str | None = None


def parse(content_type: str, body: bytes, *, json_field: str | None = None) -> Body:
    """The data of a body: null for none, JSON as it is, a form as an object, XML as plain JSON, text, else a file.

    `json_field` is a form field that carries JSON. Raises MalformedJson, InvalidInput or UnsupportedMediaType.
    """
    kind, charset = split_type(content_type)
    python_name(charset)
    if not body:
        return Body(None)
    if kind == "application/json" or kind.endswith("+json"):
        return Body(read_json(body, charset))
    if kind == "application/x-www-form-urlencoded":
        return Body(_form(body, charset, json_field))
    if kind == "multipart/form-data":
        return Body(_without_references(multipart.read(content_type, body, charset)))
    if kind in _XML or kind.endswith("+xml"):
        return Body(*xml_bodies.parse(body, charset))
    if kind in _TEXT or kind.startswith("text/"):
        return Body(decode(body, charset))
    return Body(FilePart("", kind, body))


def read_json(body: bytes, charset: str = "") -> Any:
    """The value of a JSON body. In UTF-8, unless the sender says otherwise (RFC 8259, 8.1 allows nothing else)."""
    value = json_gate.read(body if charset in _UTF8_NAMES else decode(body, charset).encode())
    # a cheap look that can only err towards looking closer: any character of the key may be written as an escape
    if b"$file" in body or b"\\u00" in body or charset not in _UTF8_NAMES:
        refuse_references(value)
    return value


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
    fields = _grouped(pairs)
    return {name: _storable(value) for name, value in fields.items() if "\0" not in name and name != REFERENCE}


def _form(body: bytes, charset: str, json_field: str | None) -> Any:
    try:
        pairs = parse_qsl(
            decode(body, charset),
            keep_blank_values=True,
            strict_parsing=True,
            max_num_fields=MOST_FIELDS,
            encoding=python_name(charset),
            errors="strict",
        )
    except ValueError as error:  # also UnicodeDecodeError
        raise InvalidInput(f"The form cannot be read: {error}.", code="malformed_form") from error
    fields = _grouped(pairs)
    if json_field is not None and list(fields) == [json_field] and isinstance(fields[json_field], str):
        return read_json(fields[json_field].encode(errors="surrogatepass"))
    text = "".join(name + value for name, value in pairs)
    if "\0" in text or (not text.isascii() and _has_surrogates(text)):
        raise InvalidInput("The form holds a character that cannot be stored.", code="malformed_form")
    return _without_references(fields)


def _has_surrogates(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _without_references(fields: dict[str, Any]) -> dict[str, Any]:
    refuse_references(fields)
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


def _storable(value: Any) -> Any:
    if isinstance(value, list):
        return [_storable(item) for item in value]
    return value.replace("\0", "\ufffd")
