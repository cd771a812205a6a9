"""The log as a file: a line for each entry, read a page at a time: a million take no more memory than one page."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from typing import Any

import orjson
from django.db.models import QuerySet

from brainops.audit.models import AuditEntry
from brainops.audit.services.searching import as_json

_PAGE = 1000
COLUMNS = (
    *("at", "id", "workspace_id", "actor_kind", "actor_id", "actor", "ip", "request_id", "action"),
    *("target_kind", "target_id", "summary", "changes"),
)
# What a spreadsheet takes for the beginning of a formula. Source: OWASP, "CSV Injection".
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def ndjson(rows: QuerySet[AuditEntry]) -> Iterator[bytes]:
    """A JSON object on each line, oldest first."""
    for page in _pages(rows):
        yield b"".join(
            orjson.dumps(as_json(entry), option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE) for entry in page
        )


def table(rows: QuerySet[AuditEntry]) -> Iterator[bytes]:
    """CSV (RFC 4180), oldest first. A text that a spreadsheet would take for a formula begins with an apostrophe."""
    yield _lines([COLUMNS])
    for page in _pages(rows):
        yield _lines([[_cell(value) for value in _values(entry)] for entry in page])


FORMS: dict[str, tuple[str, Callable[[QuerySet[AuditEntry]], Iterator[bytes]]]] = {
    "ndjson": ("application/x-ndjson", ndjson),
    "csv": ("text/csv; charset=utf-8; header=present", table),
}


def _pages(rows: QuerySet[AuditEntry]) -> Iterator[list[AuditEntry]]:
    """Pages by id, up to what stood at the beginning: what is written meanwhile is left to the next export."""
    newest = AuditEntry.objects.order_by("-id").values_list("id", flat=True).first() or 0
    last = 0
    while page := list(rows.filter(id__gt=last, id__lte=newest).order_by("id")[:_PAGE]):
        yield page
        last = page[-1].id


def _values(entry: AuditEntry) -> list[Any]:
    shown = as_json(entry)
    return [shown[name] for name in COLUMNS]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        text = orjson.dumps(value).decode()
    else:
        text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def _lines(rows: list[Any]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
