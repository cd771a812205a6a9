"""For each: a body that runs once per item, some at once. Items share rows, so that many of them need few."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from automation.engine.advance import Verdict
from automation.engine.course.again import go_on
from automation.engine.course.fold import unfold
from automation.engine.course.frame import Frame, Names
from automation.engine.course.holder import Holder
from automation.engine.course.items import (
    CANCELLED,
    DONE,
    FAILED,
    RUNNING,
    SKIPPED,
    SUCCEEDED,
    Item,
    batch_path,
    batch_row,
    checksum,
    effects_of,
    steps_of,
)
from automation.engine.expressions import Budget, ExpressionError
from automation.engine.kinds import ErrorClass, StepError
from automation.engine.planned import ForEach
from automation.engine.prepare import expression_failure, reason_to_skip
from automation.engine.results import StepResult
from automation.engine.settle import error_json
from automation.engine.status import RunStatus, StepStatus
from automation.engine.weight import too_heavy, value_limit, weight
from automation.engine.wording import shown

Json = Any


class OpenForEach(Holder):
    """A loop under way: a window of items with a frame each, and what became of those before."""

    def __init__(self, *around: Any, now: datetime) -> None:
        super().__init__(*around, now=now)
        container = self.step.container
        assert isinstance(container, ForEach)  # noqa: S101 - the plan pairs them
        self._loop: ForEach = container
        self._items: list[Json] = []
        self._done: dict[int, Item] = {}
        self._frames: dict[int, Frame] = {}
        self._index: dict[int, int] = {}  # by identity of the frame
        self._labels: dict[int, str | None] = {}
        self._again: dict[int, list[StepResult]] = {}  # rows that items go on from
        self._next = 0
        self._weight = 0
        self._dirty: set[int] = set()  # batches
        self._sealed: set[int] = set()
        self._sums: dict[int, str] = {}  # checksums of batches

    # the beginning

    def open(self, state: Json, *, now: datetime) -> None:
        """Evaluate the items once, take over what is known of them, start the first."""
        try:
            items = state["items"] if isinstance(state, dict) else self._loop.items.render(self.frame.scope, Budget())
        except ExpressionError as error:
            self.broken(error, now=now, what='"items"')
            return
        refusal = self._refusal(items)
        if refusal is not None:
            self.fail(StepError("items", refusal, ErrorClass.USER), now=now)
            return
        self._items = items
        if state is None:
            self.course.keep(self.frame, self.row())
        for batch in range(0, len(items), self._loop.batch):
            self._take_over(batch // self._loop.batch)
        failed = next((item for item in self._done.values() if item.status == FAILED), None)
        if failed is None or self._loop.on_item_error != "fail":
            self._fill(now=now)
            return
        for index in tuple(self._again):  # its process died before the loop could give up: these were under way
            self._start(index, now=now)
        self.fail(failed.error, now=now)

    def _refusal(self, items: Json) -> str | None:
        if not isinstance(items, list):
            return f'"items" of {self.step.path!r} must be a list, got {shown(items)}.'
        most = self.course.limits.items
        if len(items) > most:
            return f'"items" of {self.step.path!r} has {len(items)} items; a loop takes at most {most}. Split the list.'
        return None

    def _take_over(self, batch: int) -> None:
        """What an earlier life, or the run this one retries, knows of a batch."""
        first, last = self._span(batch)
        row = self.course.known.pop(batch_path(self.step.path, first, last), None)
        if row is None or row.output["of"] != self._sum(batch):
            return
        again = (row.reason or {}).get("again", ())  # a retry that begins with these items, whatever became of them
        for item in (Item.read(said) for said in row.output["items"] if said["index"] not in again):
            if item.status in DONE or (item.status == FAILED and not row.is_kept):
                self._done[item.index] = item
                self._weight += weight(item.output)
            else:
                self._again[item.index] = self._rows_to_keep(item, is_retry=row.is_kept)
        if row.status.is_final:
            self._sealed.add(batch)
        elif all(index in self._done for index in range(first, last + 1)):
            self._touch(first)  # a retry opened it again and nothing is left to do in it

    def _rows_to_keep(self, item: Item, *, is_retry: bool) -> list[StepResult]:
        """The rows an item goes on from: all when its process died, what need not be done again when it is retried."""
        rows = unfold(item.steps)
        if not is_retry:
            return rows
        found = go_on(self._loop.body, rows)
        self.course.forget(f"{self.step.path}[{item.index}].{name}[" for name in found.stale)
        return list(found.rows)

    def state(self) -> Json:
        """The items: they are evaluated once, whatever happens."""
        return {"items": self._items}

    def _span(self, batch: int) -> tuple[int, int]:
        first = batch * self._loop.batch
        return first, min(first + self._loop.batch, len(self._items)) - 1

    # items

    def _fill(self, *, now: datetime) -> None:
        """Start items while there is room; end when all are done."""
        while self.failure is None and self._next < len(self._items) and len(self._frames) < self._loop.concurrency:
            index, self._next = self._next, self._next + 1
            if index not in self._done:
                self._start(index, now=now)
        if self.failure is None and self._next >= len(self._items) and not self._frames:
            self._complete(now=now)

    def _start(self, index: int, *, now: datetime) -> None:
        roots = {"item": self._items[index], "index": index}
        scope = {**self.frame.scope, **roots}
        try:
            label = self._loop.label
            self._labels[index] = str(label.evaluate(scope, Budget()))[:200] if label is not None else None
            reason = reason_to_skip(self._loop.condition, scope)
        except ExpressionError as error:
            failed = error_json(self.step, expression_failure(error).error, 1)
            self._put(Item(index, FAILED, error=failed), now=now)
            return
        if reason is not None:
            self._put(Item(index, SKIPPED, reason=reason), now=now)
            return
        path = f"{self.step.path}[{index}]"
        names = Names(only=path) if self._loop.is_single else Names(prefix=f"{path}.")
        rows = self._again.pop(index, ())
        frame = self.course.enter(self, self._loop.body, roots, names=names, folds=True, rows=rows, now=now)
        self._frames[index] = frame
        self._index[id(frame)] = index

    def ended(self, frame: Frame, verdict: Verdict, *, now: datetime) -> None:
        """One item is done."""
        index = self._index.pop(id(frame))
        del self._frames[index]
        self._put(self._judge(index, frame, verdict), now=now)
        if self.failure is None:
            self._fill(now=now)
        elif not self.is_busy:
            self.give_up(now=now)

    def _judge(self, index: int, frame: Frame, verdict: Verdict) -> Item:
        rows = list(frame.progress.results.values())
        attempt = max((row.attempt for row in rows), default=1)
        item = Item(index, SUCCEEDED, attempt=attempt, effects=effects_of(rows))
        if verdict.status is not RunStatus.SUCCEEDED:
            item.status, item.error, item.steps = FAILED, verdict.error, steps_of(rows)
            return item
        try:
            item.output = rows[0].output if self._loop.is_single else self.rendered(frame.body.output, frame.scope)
        except ExpressionError as error:
            item.status, item.error = FAILED, error_json(self.step, expression_failure(error).error, 1)
            item.steps = steps_of(rows)
        if self._loop.is_single and rows[0].status is StepStatus.SKIPPED:
            item.status, item.reason = SKIPPED, rows[0].reason
        return item

    def _put(self, item: Item, *, now: datetime) -> None:
        item.label = self._labels.pop(item.index, None)
        self._done[item.index] = item
        self._touch(item.index)
        self._weight += weight(item.output)
        if self._weight > value_limit():
            said = too_heavy(f"The output of {self.step.path!r} up to item {item.index}", size=self._weight)
            self.fail(StepError("value_too_large", said, ErrorClass.USER), now=now)
        elif item.status == FAILED and self._loop.on_item_error == "fail" and self.failure is None:
            self.fail(item.error, now=now)

    # the end

    def _complete(self, *, now: datetime) -> None:
        outputs = [self._done[index].answer for index in range(len(self._items))]
        self.succeed(outputs, now=now, reason=self.summary())

    def summary(self) -> Json:
        """How many items came to what."""
        counts = Counter(item.status for item in self._done.values())
        words = (SUCCEEDED, FAILED, SKIPPED, CANCELLED)
        return {"type": "for_each", "items": len(self._items)} | {word: counts[word] for word in words if counts[word]}

    def closing(self, *, now: datetime) -> None:
        """Items under way end with the loop; those it never came to stay unmentioned."""
        for index, frame in sorted(self._frames.items()):
            rows = list(frame.rows())
            item = Item(index, CANCELLED, effects=effects_of(rows), steps=steps_of(rows))
            item.label = self._labels.pop(index, None)
            self._done[index] = item
            self._touch(index)
        self._frames.clear()
        self._index.clear()

    # rows

    def frames(self) -> Iterable[Frame]:
        """The items under way."""
        return tuple(self._frames.values())

    def mark(self, frame: Frame) -> None:
        """Something happened to the item of this frame."""
        index = self._index.get(id(frame))
        if index is not None:
            self._touch(index)

    def _touch(self, index: int) -> None:
        self._dirty.add(index // self._loop.batch)
        self.course.changed(self)

    def stored(self) -> Iterable[StepResult]:
        """The rows of batches in which something happened."""
        rows = [self._row(batch) for batch in sorted(self._dirty) if batch not in self._sealed]
        self._dirty.clear()
        return rows

    def _row(self, batch: int) -> StepResult:
        first, last = self._span(batch)
        span = range(first, last + 1)
        said = [item for index in span if (item := self._said(index)) is not None]
        is_over = self.has_ended or all(index in self._done for index in span)
        status = StepStatus.OPEN
        if is_over:
            self._sealed.add(batch)
            is_well = all(self._done[index].status in DONE for index in span if index in self._done)
            status = StepStatus.SUCCEEDED if is_well else StepStatus.FAILED
        path = batch_path(self.step.path, first, last)
        ended_at = self.course.now if is_over else None
        return batch_row(path, said, self._sum(batch), status=status, started_at=self.started_at, now=ended_at)

    def _sum(self, batch: int) -> str:
        if batch not in self._sums:
            first, last = self._span(batch)
            self._sums[batch] = checksum(self._items[first : last + 1])
        return self._sums[batch]

    def _said(self, index: int) -> Json:
        if index in self._done:
            return self._done[index].said()
        frame = self._frames.get(index)
        if frame is not None:
            return {**Item(index, RUNNING, label=self._labels.get(index)).said(), "steps": steps_of(frame.rows())}
        if index in self._again:
            return {**Item(index, RUNNING).said(), "steps": steps_of(self._again[index])}
        return None
