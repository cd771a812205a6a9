"""What the caller of an endpoint that waits is answered: the run's `respond` step, its output or its file, made safe.

A workflow's answer is served from our own address, so it is data and never a page: no content type that a browser would
run, and no header that speaks for this server. The `respond` step refuses those when it is saved; what is stored is
checked again here, because an old row may know fewer rules.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
from django.db import connection

from automation.engine.status import RunStatus
from automation.services import files, waiting
from automation.steps.respond import CONTENT_TYPES, GUARD, REFUSED_HEADERS
from automation.store.files import Found
from brainops.core.errors import NotFound
from webhooks.models import AnswerMode
from webhooks.services.bodies import split_type
from webhooks.store.said import Said, said

TEXT, JSON = "text/plain; charset=utf-8", "application/json"
_SAFE_TYPES = {split_type(given)[0]: given for given in CONTENT_TYPES}
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}", re.ASCII)
_REFUSED_NAME = re.compile(rf"{REFUSED_HEADERS}|x-lighttpd-.*|x-request-id|brainops-.*", re.IGNORECASE)
_VALUE = re.compile(r"[\t -~\x80-\xff]{0,4000}")


@dataclass(frozen=True, slots=True)
class Spoken:
    """The answer of a `respond` step, ready to send."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Download:
    """The file that is the run's output."""

    file: Found


@dataclass(frozen=True, slots=True)
class Ended:
    """The run ended without a word. `status` says how; `lacks` what was wanted of it and is not there."""

    status: RunStatus
    lacks: str = ""


Answer = Spoken | Download | Ended | None


def await_answer(run_id: int, run_uid: UUID, mode: AnswerMode, *, seconds: float) -> Answer:
    """Wait for the run's answer or end; None when it takes longer, or too many callers wait already."""
    if mode != AnswerMode.RESPOND:
        return None if waiting.wait_for_end(run_id, seconds=seconds) is None else answer_of(run_uid, mode)
    ended = waiting.wait_for_response(run_id, seconds=seconds)
    return None if ended is None else _responded(ended.status, ended.response)


def answer_of(run_uid: UUID, mode: AnswerMode) -> Answer:
    """What a run has answered so far; None while it has not, or when it was deleted."""
    with connection.cursor() as cursor:
        found = said(cursor, run_uid)
    if found is None:
        return None
    if mode == AnswerMode.RESPOND:
        is_open = found.status < RunStatus.SUCCEEDED and found.response is None
        return None if is_open else _responded(found.status, found.response)
    if found.status < RunStatus.SUCCEEDED:
        return None
    return _output(found, mode)


def _responded(status: int, response: Any) -> Answer:
    return speak(response) if isinstance(response, dict) else Ended(RunStatus(status))


def _output(found: Said, mode: AnswerMode) -> Answer:
    if found.status != RunStatus.SUCCEEDED:
        return Ended(RunStatus(found.status))
    if mode != AnswerMode.FILE:
        return Spoken(200, orjson.dumps(found.output), {**GUARD, "Content-Type": JSON})
    try:
        return Download(files.find(found.workspace_id, found.output if isinstance(found.output, dict) else {}))
    except NotFound:
        return Ended(RunStatus.SUCCEEDED, lacks="file")


def speak(response: Mapping[str, Any]) -> Spoken:
    """The HTTP answer for a response `{status, headers, body}`."""
    given = {str(name): value for name, value in (response.get("headers") or {}).items()}
    content_type = safe_type(next((value for name, value in given.items() if name.lower() == "content-type"), None))
    body = _encoded(response.get("body"), is_json=content_type.endswith("json"))
    headers = {name: value for name, value in given.items() if _is_safe(name, value)}
    return Spoken(_status(response.get("status")), body, {**headers, **GUARD, "Content-Type": content_type})


def safe_type(given: Any) -> str:
    """The content type to send: those of the `respond` step pass, everything else is served as text."""
    if not isinstance(given, str) or not given:
        return JSON
    return _SAFE_TYPES.get(split_type(given)[0], TEXT)


def _encoded(body: Any, *, is_json: bool) -> bytes:
    """A missing body stays empty; a text is quoted only when it is sent as JSON."""
    if body is None:
        return b""
    if isinstance(body, str) and not is_json:
        return body.encode(errors="replace")
    return orjson.dumps(body)


def _status(status: Any) -> int:
    """Success and errors pass; a redirect from our address would be somebody else's."""
    is_plain = isinstance(status, int) and not isinstance(status, bool)
    return status if is_plain and (200 <= status < 300 or 400 <= status < 600) else 200


def refused_header(name: str, value: Any) -> str | None:
    """Why a header cannot be answered; None when it can."""
    if not _NAME.fullmatch(name):
        return f"{name[:40]!r} is no name of a header."
    if _REFUSED_NAME.fullmatch(name):
        return f"Header {name[:40]!r} is the server's own business."
    return (
        None if isinstance(value, str) and _VALUE.fullmatch(value) else f"The value of {name[:40]!r} is no plain text."
    )


def _is_safe(name: str, value: Any) -> bool:
    return refused_header(name, value) is None
