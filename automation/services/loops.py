"""Loops of a run: how far they are, and their items, which stand folded in the rows of their batches."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import connection

from automation.engine.containers import BATCH
from automation.engine.status import FIRST_FINAL, StepStatus
from automation.models import Run
from automation.store.payloads import BrokenPayload
from automation.store.read_items import TOTAL, Counted, items_in, read_batches, read_one, read_progress
from automation.store.read_run import StepRow
from brainops.core.errors import NotFound

RUNNING, CANCELLED = "running", "cancelled"
ITEM_STATUSES = ("succeeded", "failed", "skipped", CANCELLED, RUNNING)
MOST_NESTED = 20  # loops in one another that an address may name; documents nest fewer
MOST_COUNTED = 4000  # payloads whose items were counted: they never change, so they are counted once
_RANGE = re.compile(r"\[\d+-\d+\]$")
_PASS = re.compile(r"^(.*)\[(\d{1,9})\]$")

_beside: dict[tuple[int, str], Counter[str]] = {}

Item = Mapping[str, Any]  # as it is folded: index, label, status, attempt, output, error, steps


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a loop is. `items` is None while nobody has said how many there are."""

    items: int | None
    succeeded: int = 0
    failed: int = 0
    skipped: int = 0
    active: int = 0

    @property
    def done(self) -> int:
        """Items that ended."""
        return self.well + self.failed

    @property
    def well(self) -> int:
        """Items that ended well: they succeeded, or there was nothing to do."""
        return self.succeeded + self.skipped


@dataclass(frozen=True, slots=True)
class ItemPage:
    """Some items of a loop, and the index behind which the next ones stand."""

    items: Sequence[Item]
    next_after: int | None


def loop_of(batch: str) -> str:
    """The path of the loop that a batch belongs to: `loop` for `loop[0-99]`."""
    return _RANGE.sub("", batch)


def progress(cursor: Any, run_id: int, steps: Iterable[StepRow]) -> Mapping[str, Progress]:
    """How far the loops among these rows are, by path; one query while one of them is under way."""
    rows = list(steps)
    counted: dict[str, Counter[str]] = {}
    if any(row.status == StepStatus.OPEN for row in rows):
        counted = _counts(cursor, run_id, read_progress(cursor, run_id), by_loop=True)
    found = {}
    for row in rows:
        said = said_by(row.reason)
        if row.path in counted and row.status == StepStatus.OPEN:
            found[row.path] = _from_counts(counted[row.path])
        elif said is not None:
            found[row.path] = _from_reason(said)
    return found


def batch_progress(run_id: int, paths: list[str]) -> Mapping[str, Progress]:
    """How far these batches are, by their paths."""
    if not paths:
        return {}
    with connection.cursor() as cursor:
        counts = _counts(cursor, run_id, read_progress(cursor, run_id, paths=paths), by_loop=False)
    return {path: _from_counts(found | {TOTAL: sum(found.values())}) for path, found in counts.items()}


def items(run_id: int, path: str, *, after: int = -1, status: str | None = None, limit: int) -> ItemPage:
    """A page of the items of the loop at `path`, in order: behind index `after`, of one status if one is named.

    Of a `while` it is the pass under way. A loop inside a loop (`outer[3].inner`) shows its items as long as the item
    around it has not ended, and when that failed. What was under way when the
    run was ended from outside is cancelled. Raises NotFound when the run has no such loop.
    """
    if "\0" in path or path.count("[") > MOST_NESTED:  # it comes from an address
        raise NotFound
    found: list[Item] = []
    for item in _walk(run_id, path, after=after, status=status):
        if item["index"] > after and status in (None, item["status"]):
            found.append(item)
        if len(found) > limit:
            break
    page = _told(run_id, found[:limit])
    return ItemPage(page, page[-1]["index"] if len(found) > limit else None)


def _told(run_id: int, page: list[Item]) -> list[Item]:
    """What was under way in a run that was ended from outside ended with it; nobody came by to write that down."""
    is_open = [item["status"] == RUNNING for item in page]
    if not any(is_open) or not Run.objects.filter(id=run_id, status__gte=FIRST_FINAL).exists():
        return page
    return [{**item, "status": CANCELLED} if item["status"] == RUNNING else item for item in page]


def said_by(reason: str | None) -> dict[str, Any] | None:
    """What the row of a loop says of its items; None when it is no loop's."""
    if reason is None or "for_each" not in reason:
        return None
    said = orjson.loads(reason)
    return said if isinstance(said, dict) and said.get("type") == "for_each" else None


def _walk(run_id: int, path: str, *, after: int, status: str | None) -> Iterator[Item]:
    if "[" in path:
        yield from _walk_inside(run_id, path)
        return
    with connection.cursor() as cursor:
        row = read_one(cursor, run_id, path)
        if row is None:
            raise NotFound
        yield from _pass_of(row[0], row[1], row[2])
        while batches := read_batches(cursor, run_id, path, after=after, status=status):
            for batch in batches:
                yield from batch.items
            after = batches[-1].last


def _walk_inside(run_id: int, path: str) -> Iterator[Item]:
    """The items of a loop whose rows are themselves folded into an item of the loop around it."""
    outer = _PASS.match(path.rpartition(".")[0])
    if outer is None:
        raise NotFound
    around = items(run_id, outer[1], after=int(outer[2]) - 1, limit=1).items
    rows = (around[0].get("steps") or ()) if around and around[0]["index"] == int(outer[2]) else ()
    mine = [row for row in rows if row["path"] == path or (row["kind"] == BATCH and loop_of(row["path"]) == path)]
    if not mine:
        raise NotFound
    for row in mine:
        if row["kind"] == BATCH:
            yield from row["output"]["items"]
        else:
            yield from _pass_of(row["kind"], StepStatus[row["status"].upper()], row.get("output"))


def _pass_of(kind: str, status: int, state: Any) -> Iterator[Item]:
    """The pass of a `while` that is under way, as an item."""
    if kind == "while" and status == StepStatus.OPEN and isinstance(state, dict) and "steps" in state:
        yield {"index": state.get("passes", 0), "status": "running", "steps": state["steps"]}


def _counts(cursor: Any, run_id: int, counted: Iterable[Counted], *, by_loop: bool) -> dict[str, Counter[str]]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for one in counted:
        key = loop_of(one.path) if by_loop else one.path
        if one.ref is not None:
            counts[key].update(_counted_beside(cursor, run_id, one.ref, is_total=one.status == TOTAL))
        elif one.status is not None:
            counts[key][one.status] += one.count or 0
    return counts


def _counted_beside(cursor: Any, run_id: int, ref: str, *, is_total: bool) -> Counter[str]:
    known = _beside.get((run_id, ref))
    if known is None:
        try:
            items = items_in(cursor, run_id, ref)
        except BrokenPayload:
            return Counter()  # the rest of the run is to be seen all the same; its items say what is broken
        known = Counter({TOTAL: len(items)}) if is_total else Counter(item["status"] for item in items)
        while len(_beside) >= MOST_COUNTED:
            _beside.pop(next(iter(_beside)), None)
        _beside[run_id, ref] = known
    return known


def _from_reason(said: Mapping[str, Any]) -> Progress:
    count = {name: int(said.get(name) or 0) for name in ("succeeded", "failed", "cancelled", "skipped")}
    return Progress(said.get("items"), count["succeeded"], count["failed"] + count["cancelled"], count["skipped"])


def _from_counts(counts: Mapping[str, int]) -> Progress:
    failed = counts.get("failed", 0) + counts.get("cancelled", 0)
    return Progress(
        counts.get(TOTAL), counts.get("succeeded", 0), failed, counts.get("skipped", 0), counts.get("running", 0)
    )
