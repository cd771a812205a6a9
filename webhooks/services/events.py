"""Events: the log of what came to an endpoint."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import F, Func, IntegerField, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast

from brainops.core.errors import NotFound
from webhooks.models import EventVerdict, WebhookEndpoint, WebhookEvent

PREVIEW_BYTES = 64 * 1024
SEARCHED = 5_000  # events that one search looks into


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events to list; None means any."""

    verdict: EventVerdict | None = None
    event_type: str | None = None
    delivery_id: str | None = None
    is_test: bool | None = None
    is_verified: bool | None = None
    reason: str | None = None
    status: int | None = None
    run: UUID | None = None
    remote_addr: str | None = None
    has_duplicates: bool | None = None
    search: str = ""
    since: datetime | None = None
    until: datetime | None = None


_LOOKUPS = {
    "verdict": "verdict",
    "event_type": "event_type",
    "delivery_id": "delivery_id",
    "is_test": "is_test",
    "is_verified": "is_verified",
    "reason": "reason",
    "status": "status",
    "run": "run_uid",
    "remote_addr": "remote_addr",
    "since": "received_at__gte",
    "until": "received_at__lt",
}


def find(endpoint: WebhookEndpoint, wanted: Wanted) -> QuerySet[WebhookEvent]:
    """The events of an endpoint, without their bodies.

    `search` is a part of an id, the event type, the answer, the headers, the query (in any case of letters) or the
    body (as its bytes stand there). It looks at the newest SEARCHED events that fit everything else.
    """
    given = {lookup: getattr(wanted, name) for name, lookup in _LOOKUPS.items()}
    filters = {lookup: value for lookup, value in given.items() if value is not None}
    rows = WebhookEvent.objects.filter(endpoint=endpoint, **filters)
    if wanted.has_duplicates is not None:
        rows = rows.filter(duplicates__gt=0) if wanted.has_duplicates else rows.filter(duplicates=0)
    if wanted.search:
        newest = rows.order_by("-received_at", "-id").values("id")[:SEARCHED]
        rows = saying(WebhookEvent.objects.filter(endpoint=endpoint, id__in=newest), wanted.search)
    return rows.defer("body")


def saying(rows: QuerySet[WebhookEvent], text: str) -> QuerySet[WebhookEvent]:
    """Those of the events that hold a text."""
    rows = rows.alias(
        said_headers=Cast("headers", TextField()),
        said_query=Cast("query", TextField()),
        place=_Position(Value(text.encode(errors="replace")), F("body"), output_field=IntegerField()),
    )
    names = ("delivery_id", "event_type", "detail", "reason", "said_headers", "said_query")
    found = Q(place__gt=0)
    for name in names:
        found |= Q(**{f"{name}__icontains": text})
    return rows.filter(found)


class _Position(Func):
    """Where the first expression begins in the second one, 0 for nowhere."""

    function = "POSITION"
    arg_joiner = " in "


def get(endpoint: WebhookEndpoint, event_id: UUID | str) -> WebhookEvent:
    """One event of an endpoint. Raises NotFound."""
    try:
        return WebhookEvent.objects.get(endpoint=endpoint, id=event_id)
    except (WebhookEvent.DoesNotExist, ValidationError, ValueError) as error:
        raise NotFound from error


def preview(event: WebhookEvent) -> dict[str, Any]:
    """The body for people: text when it is UTF-8, else base64; at most 64 KiB of it."""
    raw = bytes(event.body)
    head = raw[:PREVIEW_BYTES]
    text = _text(head, is_cut=len(head) < event.size_bytes)
    return {
        "text": text,
        "base64": None if text is not None else base64.b64encode(head).decode(),
        "size_bytes": event.size_bytes,
        "is_truncated": len(head) < event.size_bytes,
    }


def _text(raw: bytes, *, is_cut: bool) -> str | None:
    """The text of UTF-8 bytes; a character that the cut split is left out."""
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        is_split = is_cut and error.start >= len(raw) - 3 and error.reason == "unexpected end of data"
        return raw[: error.start].decode() if is_split else None
