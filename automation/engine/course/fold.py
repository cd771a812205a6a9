"""Rows of steps inside loops, as they stand in the row of their batch or pass: plain JSON without empty fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from automation.engine.results import StepResult
from automation.engine.status import StepStatus

Json = Any
PLAIN = ("output", "port", "reason", "error", "effect")
INSTANTS = ("until", "started_at", "finished_at")


def fold(rows: Iterable[StepResult]) -> list[Json]:
    """Rows as JSON."""
    return [_folded(row) for row in rows]


def unfold(values: Iterable[Mapping[str, Json]]) -> list[StepResult]:
    """The rows again."""
    return [_unfolded(value) for value in values]


def _folded(row: StepResult) -> dict[str, Json]:
    said: dict[str, Json] = {"path": row.path, "kind": row.kind, "status": row.status.word, "attempt": row.attempt}
    said |= {name: value for name in PLAIN if (value := getattr(row, name)) is not None}
    said |= {name: at.isoformat() for name in INSTANTS if (at := getattr(row, name)) is not None}
    return said


def _unfolded(value: Mapping[str, Json]) -> StepResult:
    more: dict[str, Any] = {name: value.get(name) for name in PLAIN}
    more |= {name: _instant(value[name]) for name in INSTANTS if name in value}
    return StepResult(
        path=value["path"],
        kind=value["kind"],
        status=StepStatus[value["status"].upper()],
        attempt=value["attempt"],
        **more,
    )


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
