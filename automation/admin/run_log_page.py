"""The log tab of a run's page: a page of lines, by step, level and attempt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from automation.services.run_reading import LINES_SHOWN, log_rows

LEVELS = ("debug", "info", "warning", "error")
LONGEST_PATH = 500

Json = Any


@dataclass(frozen=True, slots=True)
class LogPage:
    """Some log lines, what they were chosen by, and the address of the next ones."""

    lines: Sequence[Mapping[str, Json]]
    level: str
    path: str
    attempt: int | None
    next_query: str | None
    is_first: bool

    @property
    def is_filtered(self) -> bool:
        """True when not every line is meant."""
        return bool(self.level or self.path or self.attempt)


def read(run_id: int, asked: Mapping[str, str]) -> LogPage:
    """The lines that the query of an address asks for; a value that means nothing is as good as none."""
    level = asked.get("level", "") if asked.get("level") in LEVELS else ""
    path = asked.get("path", "").strip().replace("\0", "")[:LONGEST_PATH]
    attempt, after = number(asked.get("attempt"), most=32_767), number(asked.get("log_after"))
    rows = log_rows(run_id, path=path or None, level=[level] if level else (), attempt=attempt)
    if after is not None:
        rows = rows.filter(seq__gt=after)
    lines = list(rows[: LINES_SHOWN + 1])
    shown = lines[:LINES_SHOWN]
    next_query = None
    if len(lines) > LINES_SHOWN:
        given = {"tab": "log", "level": level, "path": path, "attempt": attempt, "log_after": shown[-1]["seq"]}
        next_query = urlencode({name: value for name, value in given.items() if value})
    return LogPage(shown, level, path, attempt, next_query, is_first=after is None)


def number(text: str | None, *, most: int = 10**18) -> int | None:
    """A whole number of an address; None for what is none."""
    found = int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None
    return found if found is not None and found <= most else None
