"""The CloudEvents of a request: structured, a batch, or in binary mode, told apart by their Content-Type.

Source: cloudevents/spec v1.0.2, bindings/http-protocol-binding.md.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from rest_framework.request import Request

from automation.engine.binary_events import PREFIX, attributes_of
from automation.engine.cloud_events import CloudEvent, is_json_type, made, read_structured
from automation.engine.problem import Problem as EngineProblem
from brainops.core import json_gate
from brainops.core.api.json import read_body
from brainops.core.errors import InvalidInput, Problem, UnsupportedMediaType

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
_FAMILY = "application/cloudevents"
_UTF8 = frozenset({"", "utf-8", "utf8"})

Json = Any


def read_events(request: Request) -> tuple[list[CloudEvent], bool]:
    """The events of a request, and whether they are a batch.

    Raises InvalidInput with every problem, UnsupportedMediaType, TooLarge, MalformedJson.
    """
    kind, charset = _kind_of(request.META.get("CONTENT_TYPE") or "")
    if request.META.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity":
        raise UnsupportedMediaType("Compressed bodies are not read. Send the body without Content-Encoding.")
    if not kind.startswith(_FAMILY):
        return [_binary(request, kind, charset)], False
    if kind not in (STRUCTURED, BATCH):
        raise UnsupportedMediaType(f"The body is {kind[:80]!r}. Send {STRUCTURED}, {BATCH}, or ce- headers.")
    if charset not in _UTF8:
        raise UnsupportedMediaType(f"The charset {charset[:40]!r} is not read. Send JSON in UTF-8.")
    said = json_gate.read(read_body(request))
    return _batch(said) if kind == BATCH else ([_read(said, "")], False)


def _kind_of(content_type: str) -> tuple[str, str]:
    """The media type in lower case, and its charset."""
    kind, _, parameters = content_type.partition(";")
    named = (parameter.partition("=") for parameter in parameters.split(";"))
    charsets = [value.strip().strip('"').lower() for name, _, value in named if name.strip().lower() == "charset"]
    return kind.strip().lower(), charsets[0] if charsets else ""


def _batch(said: Json) -> tuple[list[CloudEvent], bool]:
    if not isinstance(said, list):
        raise InvalidInput.from_problems([Problem("wrong_type", "A batch is a list of events.", "")])
    read = [read_structured(one) for one in said]
    found = [problem for index, (_, wrong) in enumerate(read) for problem in _plain(wrong, f"/{index}")]
    if found:
        raise InvalidInput.from_problems(found)
    return [event for event, _ in read if event is not None], True


def _read(said: Json, base: str) -> CloudEvent:
    event, wrong = read_structured(said)
    if event is None:
        raise InvalidInput.from_problems(_plain(wrong, base))
    return event


def _plain(wrong: list[EngineProblem], base: str) -> list[Problem]:
    return [Problem(one.code, one.message, base + one.pointer) for one in wrong]


def _binary(request: Request, kind: str, charset: str) -> CloudEvent:
    headers = {name[5:].replace("_", "-").lower(): value for name, value in request.META.items() if name[:5] == "HTTP_"}
    if not any(name.startswith(PREFIX) for name in headers):
        said = f"Send an event as {STRUCTURED}, several as {BATCH}, or one with ce-id, ce-source, ce-type and"
        raise InvalidInput(f"{said} ce-specversion headers.", code="no_event")
    content_type = str(request.META.get("CONTENT_TYPE") or "").strip()
    attributes, wrong = attributes_of(headers, content_type=content_type)
    if wrong:
        raise InvalidInput.from_problems(Problem(one.code, one.message, parameter=one.pointer) for one in wrong)
    body = read_body(request)
    return _with_data(attributes, body, kind, charset)


def _with_data(attributes: Mapping[str, str], body: bytes, kind: str, charset: str) -> CloudEvent:
    """JSON is read, text is decoded, anything else stays bytes."""
    if not body:
        return made(attributes, None)
    if is_json_type(kind) and charset in _UTF8:
        return made(attributes, json_gate.read(body))
    text = _text(body, charset) if kind.startswith("text/") else None
    if text is not None:
        return made(attributes, text)
    return made(attributes, base64.b64encode(body).decode(), is_binary=True)


def _text(body: bytes, charset: str) -> str | None:
    """The text of a body; None when it is not what its charset says, or cannot be stored as text."""
    try:
        text = body.decode(charset or "utf-8")
    except (LookupError, UnicodeError):
        return None
    return None if "\x00" in text else text
