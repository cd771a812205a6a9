"""Refusals: how an HTTP status that is not a success becomes a `Failure` with the right class."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import orjson

from brainops.core.redact import redact, redact_text
from integrations.contract import ErrorClass, Failure
from integrations.messages import Request, Response

# What a request may be repeated for (RFC 9110 15.5.9, RFC 8470 5.2, RFC 6585 4). Waiting changes no 501 or 505.
_CLASSES = {
    401: ErrorClass.AUTH,
    403: ErrorClass.AUTH,
    407: ErrorClass.AUTH,
    408: ErrorClass.TRANSIENT,
    425: ErrorClass.TRANSIENT,
    429: ErrorClass.RATE_LIMIT,
    501: ErrorClass.USER,
    505: ErrorClass.USER,
}
_SHOWN_CHARACTERS = 200
_PARSED_BYTES = 64 * 1024
_MAX_WAIT_SECONDS = 24 * 3600.0
_DELAY_SECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)


def refusal(response: Response, request: Request) -> Failure:
    """Describe an unwanted answer: its status, the first bytes of its body, and when to come back."""
    wait_seconds = retry_after_seconds(response)
    # Some services refuse a caller at the limit with 403 and a time to come back (GitHub's secondary limits).
    is_limited = response.status == 403 and wait_seconds is not None
    return Failure(
        type="http_status",
        message=_sentence(response, request.method),
        error_class=ErrorClass.RATE_LIMIT if is_limited else error_class_of(response.status),
        retry_after_seconds=wait_seconds,
        details={"status": response.status, "method": request.method, "url": response.url, "body": shown(response)},
        # A gateway that gave up may have passed the request on (RFC 9110 15.6.5); a plain refusal did not act.
        is_outcome_unknown=request.is_write and response.status in (408, 502, 504),
    )


def error_class_of(status: int) -> ErrorClass:
    """Class a status: server errors pass with time, client errors do not, but for the listed ones."""
    if status in _CLASSES:
        return _CLASSES[status]
    return ErrorClass.TRANSIENT if 500 <= status < 600 else ErrorClass.USER


def retry_after_seconds(response: Response) -> float | None:
    """Seconds the service asks to wait, from `Retry-After` (RFC 9110 10.2.3): seconds or an HTTP date.

    A date counts from the service's own `Date`, so that a wrong clock on either side does no harm.
    A date in the past is 0; what cannot be read is None; more than a day is cut to a day.
    """
    value = response.headers.get("retry-after", "").strip()
    if _DELAY_SECONDS.fullmatch(value):
        return min(float(value), _MAX_WAIT_SECONDS)
    moment = _http_date(value)
    if moment is None:
        return None
    answered_at = _http_date(response.headers.get("date", "")) or response.received_at
    return min(max((moment - answered_at).total_seconds(), 0.0), _MAX_WAIT_SECONDS)


def shown(response: Response) -> str:
    """Return the start of the body as one line of printable text, without secrets."""
    text = _redacted(response)
    line = "".join(character if character.isprintable() else " " for character in text[: _SHOWN_CHARACTERS + 1])
    return line.strip() if len(line) <= _SHOWN_CHARACTERS else line[:_SHOWN_CHARACTERS].strip() + "…"


def _redacted(response: Response) -> str:
    """Mask before cutting: a secret cut in half is known to nobody, but still half a secret."""
    if len(response.body) <= _PARSED_BYTES:
        try:
            return orjson.dumps(response.mask(redact(orjson.loads(response.body)))).decode()
        except (ValueError, TypeError):
            pass
    text: str = response.mask(redact_text(response.body[:_PARSED_BYTES].decode("utf-8", errors="replace")))
    return text


def _sentence(response: Response, method: str) -> str:
    body = shown(response)
    said = f": {body}" if body else " with an empty body"
    return f"{method} {response.url} answered {response.status}{said}"


def _http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
