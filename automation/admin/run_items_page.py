"""The items of one loop of a run, in pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from automation.admin.run_log_page import number
from automation.engine.status import RunStatus
from automation.looks.states import STEP_WORDS, Look
from automation.services import loops, run_reading
from automation.services.loops import ITEM_STATUSES
from brainops.accounts.caller import Caller

SHOWN = 50
SHOWN_CHARACTERS = 4000  # of one output; the API has it whole

Json = Any


@dataclass(frozen=True, slots=True)
class ItemLine:
    """One item. `steps` are the rows inside it, each with its look under "look"."""

    index: int
    origin: str  # where a retry begins that does it again
    title: str
    look: Look
    attempt: int | None
    message: str
    output: str | None
    steps: Sequence[Mapping[str, Json]]


@dataclass(frozen=True, slots=True)
class ItemsView:
    """A page of items."""

    uid: UUID
    path: str
    lines: Sequence[ItemLine]
    status: str
    statuses: Mapping[str, str]
    next_after: int | None
    is_first: bool
    is_final: bool


def read(caller: Caller, uid: UUID, path: str, asked: Mapping[str, str]) -> ItemsView:
    """The items that the query of an address asks for. Raises NotFound."""
    status = asked.get("status", "") if asked.get("status") in ITEM_STATUSES else ""
    after = number(asked.get("after"), most=2**31 - 1)
    head, _live = run_reading.read_live(caller, uid)
    page = loops.items(head.id, path, after=-1 if after is None else after, status=status or None, limit=SHOWN)
    return ItemsView(
        uid=uid,
        path=path,
        lines=[_line(path, item) for item in page.items],
        status=status,
        statuses={word: STEP_WORDS[word].word for word in ITEM_STATUSES},
        next_after=page.next_after,
        is_first=after is None,
        is_final=RunStatus(head.status).is_final,
    )


def _line(loop: str, item: Mapping[str, Json]) -> ItemLine:
    output = item.get("output")
    return ItemLine(
        index=item["index"],
        origin=f"{loop}[{item['index']}]",
        title=item.get("label") or f"Item {item['index']}",
        look=STEP_WORDS[item["status"]],
        attempt=item.get("attempt"),
        message=str((item.get("error") or {}).get("message", "")),
        output=None if output is None else orjson.dumps(output).decode()[:SHOWN_CHARACTERS],
        steps=[_step(row) for row in item.get("steps") or ()],
    )


def _step(row: Mapping[str, Json]) -> dict[str, Json]:
    error = row.get("error") or {}
    return {**row, "look": STEP_WORDS[row["status"]], "message": error.get("message", "")}
