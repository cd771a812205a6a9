"""DRF's parser, renderer and negotiation for the one form we speak: JSON, read through the gate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from django.http import HttpRequest
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from brainops.core import json_gate
from brainops.core.errors import InvalidInput, NotAcceptable, UnsupportedMediaType
from brainops.core.web.readers import reading

_ACCEPTED_CHARSETS = frozenset({"", "utf-8", "utf8"})


def read_json(request: HttpRequest | Request) -> Any:
    """The JSON value of a request's body, through the gate; for DRF's parser and for plain views.

    Raises UnsupportedMediaType, TooLarge, MalformedJson.
    """
    meta: Mapping[str, Any] = request.META
    if meta.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity":
        raise UnsupportedMediaType("Compressed bodies are not read. Send the body without Content-Encoding.")
    charset = _charset(meta.get("CONTENT_TYPE", ""))
    if charset not in _ACCEPTED_CHARSETS:
        raise UnsupportedMediaType(f"The charset {charset!r} is not read. Send JSON in UTF-8.")
    return json_gate.read(read_body(request))


def read_body(request: HttpRequest | Request, *, most: int | None = None) -> bytes:
    """The raw bytes of a body. Raises TooLarge before more than the limit is read."""
    most = json_gate.default_limits().body_bytes if most is None else most
    declared = str(request.META.get("CONTENT_LENGTH") or "0")
    if not (declared.isascii() and declared.isdigit()):
        raise InvalidInput("Content-Length must be a number of bytes.")
    json_gate.check_size(int(declared), most)
    with reading():
        body: bytes = request.body
    json_gate.check_size(len(body), most)
    return body


def _charset(content_type: str) -> str:
    _, _, parameters = content_type.partition(";")
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"').lower()
    return ""


class JsonParser(BaseParser):
    """`application/json` through the gate."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """The value. An empty body never gets here: DRF takes it for no data."""
        return read_json(stream if parser_context is None else parser_context["request"]._request)


class MergePatchParser(JsonParser):
    """`application/merge-patch+json` (RFC 7396), for PATCH."""

    media_type = "application/merge-patch+json"


class JsonRenderer(BaseRenderer):
    """JSON by orjson: dates in RFC 3339 with Z, UUIDs as text."""

    media_type = "application/json"
    format = "json"
    charset = None  # JSON is UTF-8 (RFC 8259, 8.1)
    render_style = "binary"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        """The bytes of a value; no body for None."""
        if data is None:
            return b""
        return orjson.dumps(data, default=_encode, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS)


class JsonOnly(BaseContentNegotiation):
    """There is one form, so negotiation is a look at two headers."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser:
        """The parser of the body's type."""
        kind = (request.content_type or "").partition(";")[0].strip().lower()
        for parser in parsers:
            if kind == parser.media_type:
                return parser
        known = " or ".join(parser.media_type for parser in parsers)
        raise UnsupportedMediaType(f"The body is {kind or 'of no type'!r}. Send {known}.")

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The first renderer that the caller accepts."""
        accept = request.META.get("HTTP_ACCEPT", "*/*")
        for renderer in renderers:
            kind, _, _ = renderer.media_type.partition("/")
            if "*/*" in accept or renderer.media_type in accept or f"{kind}/*" in accept:
                return renderer, renderer.media_type
        made = " and ".join(renderer.media_type for renderer in renderers)
        raise NotAcceptable(f"Only {made} is made here, asked for {accept[:100]!r}.")


class AnyAnswer(JsonOnly):
    """For files: the answer is the file that was asked for, whatever the Accept header says; refusals are JSON."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """JSON, for everything that is not a file."""
        renderer = JsonRenderer()
        return renderer, renderer.media_type


def _encode(value: Any) -> Any:
    """What orjson does not know: sets become lists; lazy texts, Decimal and the like become text."""
    return list(value) if isinstance(value, set | frozenset) else str(value)
