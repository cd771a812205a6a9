"""Reading an answer's body into a JSON value."""

from __future__ import annotations

import base64

from integrations.messages import Json, Response

_TEXT_TYPES = ("text/", "application/xml", "application/javascript", "application/x-www-form-urlencoded")


class UnreadableBody(Exception):
    """The body is not what the step asked for; the message finishes the sentence "…, but"."""


def read_body(response: Response, reading: str) -> Json:
    """Give the body as JSON value, text or base64; None when it is empty. Raises UnreadableBody."""
    if not response.body:
        return None
    if reading == "auto":
        return _by_content_type(response)
    if reading == "json":
        return _json(response)
    if reading == "text":
        return _text(response)
    return base64.b64encode(response.body).decode()


def _by_content_type(response: Response) -> Json:
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json" or kind.endswith("+json"):
        return _json(response)
    if kind.startswith(_TEXT_TYPES) or kind.endswith("+xml") or not kind:
        return _text_or_base64(response)
    return base64.b64encode(response.body).decode()


def _json(response: Response) -> Json:
    try:
        return response.json()
    except (ValueError, RecursionError) as error:
        raise UnreadableBody(
            f"its body is no valid JSON ({error}). Set `response` to text to take it as it is."
        ) from error


def _text(response: Response) -> str:
    text = response.text()
    if "\0" in text:  # PostgreSQL cannot store it
        raise UnreadableBody("its text holds a NUL character. Set `response` to base64.")
    return text


def _text_or_base64(response: Response) -> str:
    try:
        return _text(response)
    except UnreadableBody:
        return base64.b64encode(response.body).decode()
