"""Reading an answer's body into a JSON value."""

from __future__ import annotations

import base64

from integrations.contract import LogLine
from integrations.messages import Json, Response

Read = tuple[Json, tuple[LogLine, ...]]

_TEXT_TYPES = ("text/", "application/xml", "application/javascript", "application/x-www-form-urlencoded")


class UnreadableBody(Exception):
    """The body is not what the step asked for; the message finishes the sentence "…, but"."""


def read_body(response: Response, reading: str) -> Read:
    """Give the body as JSON value, text or base64, None when it is empty, with lines for the log.

    Raises UnreadableBody, but never for "auto": the service has acted, so a strange answer must not fail the step.
    """
    if not response.body:
        return None, ()
    if reading == "auto":
        return _by_content_type(response)
    if reading == "json":
        return _json(response), ()
    if reading == "text":
        return _text(response), ()
    return _base64(response), ()


def _by_content_type(response: Response) -> Read:
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json" or kind.endswith("+json"):
        return _json_or_text(response)
    if not kind or kind.startswith(_TEXT_TYPES) or kind.endswith("+xml"):
        return _text_or_base64(response), ()
    return _base64(response), ()


def _json_or_text(response: Response) -> Read:
    try:
        return _json(response), ()
    except UnreadableBody as error:
        line = LogLine("warning", f"The answer says it is JSON, but {error} It is given as text.")
        return _text_or_base64(response), (line,)


def _json(response: Response) -> Json:
    try:
        return response.json()
    except ValueError as error:
        raise UnreadableBody(f"its body cannot be read as JSON: {error}") from error


def _text(response: Response) -> str:
    text = response.text()
    if "\0" in text:  # PostgreSQL cannot store it
        raise UnreadableBody("its text holds a NUL character. Set `response` to base64.")
    return text


def _text_or_base64(response: Response) -> str:
    try:
        return _text(response)
    except UnreadableBody:
        return _base64(response)


def _base64(response: Response) -> str:
    return base64.b64encode(response.body).decode()
