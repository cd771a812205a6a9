"""The items of a loop: what became of each, and the rows that keep them, one per batch."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson

from automation.engine.containers import BATCH
from automation.engine.course.fold import fold
from automation.engine.results import StepResult
from automation.engine.status import StepStatus

Json = Any
SUCCEEDED, FAILED, SKIPPED, CANCELLED, RUNNING = "succeeded", "failed", "skipped", "cancelled", "running"
LARGE_NUMBER = re.compile(rb"\de\d")  # how a float from 1e16 on is written
DONE = frozenset({SUCCEEDED, SKIPPED})  # a retry does these not again


@dataclass(slots=True)
class Item:
    """What became of one item. `effects` are its writes, `steps` the rows of one that failed."""

    index: int
    status: str
    output: Json = None
    error: Json = None
    label: str | None = None
    attempt: int = 1
    reason: Json = None
    effects: Sequence[Json] = ()
    steps: Sequence[Json] = ()

    def said(self) -> dict[str, Json]:
        """The item as JSON, without empty fields."""
        said: dict[str, Json] = {"index": self.index, "status": self.status, "attempt": self.attempt}
        for name in ("label", "output", "error", "reason"):
            if (value := getattr(self, name)) is not None:
                said[name] = value
        if self.effects:
            said["effects"] = list(self.effects)
        if self.steps:
            said["steps"] = list(self.steps)
        return said

    @classmethod
    def read(cls, said: Mapping[str, Json]) -> Item:
        """The item again."""
        return cls(**{name: said[name] for name in cls.__slots__ if name in said})

    @property
    def answer(self) -> Json:
        """Its place in the loop's output."""
        return {"error": self.error} if self.status in (FAILED, CANCELLED) else self.output


def effects_of(rows: Iterable[StepResult]) -> list[Json]:
    """The writes among some rows, for the ledger of effects."""
    return [
        {"path": row.path, "effect": row.effect, "status": row.status.word, "attempt": row.attempt}
        for row in rows
        if row.effect not in (None, "read")
    ]


def steps_of(rows: Iterable[StepResult]) -> list[Json]:
    """Rows folded."""
    return fold(rows)


def checksum(items: Sequence[Json]) -> str:
    """What a stored batch belongs to: another list of items makes its results worthless.

    The same for items that were stored and read back: 1e16 comes back as an integer, an infinite number as null.
    """
    said = orjson.dumps(list(items), option=orjson.OPT_SORT_KEYS)
    if LARGE_NUMBER.search(said):
        said = orjson.dumps(_as_read(list(items)), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(said).hexdigest()[:16]


def _as_read(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _as_read(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_as_read(inner) for inner in value]
    return int(value) if isinstance(value, float) and abs(value) < 2**63 and value.is_integer() else value


def batch_path(loop: str, first: int, last: int) -> str:
    """The path of a batch's row: `loop[0-99]`."""
    return f"{loop}[{first}-{last}]"


def is_open_batch(row: StepResult) -> bool:
    """True for the row of a batch that is not over."""
    return row.kind == BATCH and row.status is StepStatus.OPEN


def closed_batch(row: StepResult, *, now: datetime) -> StepResult:
    """The row of an open batch when its run is over."""
    is_well = all(said["status"] in DONE for said in row.output["items"])
    return replace(row, status=StepStatus.SUCCEEDED if is_well else StepStatus.FAILED, finished_at=now)


def batch_row(
    path: str, items: Sequence[Json], of: str, *, status: StepStatus, started_at: datetime, now: datetime | None
) -> StepResult:
    """The row of a batch."""
    output = {"of": of, "items": list(items)}
    return StepResult(path, BATCH, status, output=output, started_at=started_at, finished_at=now)
