"""Course: the whole of a run, frames within frames. Says what may be attempted now and what the rows become."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from automation.engine.advance import Verdict
from automation.engine.course.book import Book
from automation.engine.course.for_each import OpenForEach
from automation.engine.course.frame import Frame, Names
from automation.engine.course.group import OpenGroup, OpenTry
from automation.engine.course.holder import Holder
from automation.engine.course.items import closed_batch, is_open_batch
from automation.engine.course.limits import DEFAULT_LIMITS, Limits
from automation.engine.course.loop import OpenWhile
from automation.engine.course.place import Place
from automation.engine.course.rests import Rests
from automation.engine.expressions import ExpressionError
from automation.engine.planned import ForEach, Group, Plan, PlannedBody, PlannedStep, Try, While
from automation.engine.prepare import expression_failure, reason_to_skip
from automation.engine.results import StepResult, id_of
from automation.engine.scope import Scope, inner_scope, show
from automation.engine.settle import broken, ended_with_run, error_json, lost, skip, unknown
from automation.engine.status import StepStatus

Json = Any
HOLDERS: Mapping[type, type[Holder]] = {Group: OpenGroup, ForEach: OpenForEach, While: OpenWhile, Try: OpenTry}
RESTING = (StepStatus.WAITING, StepStatus.RETRYING)


class Course:
    """Belongs to one thread. A driver takes places, attempts them, records what came of them, and keeps the rows.

    `scope` is what the expressions of the outermost steps see; rows given are those known so far, by path.
    `ended_calls` are the paths of calls that have ended, None when nobody looked. `verdict` is None until the run has
    come to its end, which is not before the last attempt under way has ended.
    """

    def __init__(
        self,
        plan: Plan,
        rows: Iterable[StepResult],
        scope: Scope,
        *,
        now: datetime,
        limits: Limits = DEFAULT_LIMITS,
        ended_calls: frozenset[str] | None = None,
    ) -> None:
        self.plan = plan
        self.limits = limits
        self.known = {row.path: row for row in rows}
        self.now = now
        self.verdict: Verdict | None = None
        self._ready: deque[Place] = deque()
        self._rests = Rests(ended_calls)
        self._open: dict[str, Holder] = {}
        self._touched: deque[Frame] = deque()
        self._lost: list[Place] = []
        self._let_go: list[str] = []
        self._book = Book(self.known.values(), most_bytes=limits.run_bytes)
        self.root = Frame(plan, scope, names=Names(), owner=None, folder=None, rows=self._known_of(plan, Names()))
        self._arrive(self.root)
        self._settle_lost()
        self._work()

    # what a driver does

    def take_ready(self) -> Place | None:
        """A step that may be attempted now; the driver then says `start`."""
        while self._ready:
            place = self._ready.popleft()
            if not place.frame.is_stopped:
                return place
        return None

    @property
    def has_ready(self) -> bool:
        """True when another step may be attempted now."""
        return bool(self._ready)

    @property
    def has_others(self) -> bool:
        """True when something may go on while an attempt takes its time: it is ready, it rests, or it wants a ring."""
        return bool(self._ready) or self._rests.has_any or any(True for _ in self._alarms())

    def hear(self) -> None:
        """There is news: whatever waits for some is asked."""
        self._rests.hear()

    def take_due(self, now: datetime) -> Place | None:
        """A resting step whose time has come, or that has to be asked for news."""
        return self._rests.take_due(now)

    def ring(self, now: datetime) -> bool:
        """Ring the containers whose time has come; True when one was."""
        due = [holder for holder, at in self._alarms() if at <= now]
        for holder in due:
            if holder.step.path in self._open:
                holder.ring(now=now)
        if due:
            self.now = now
            self._work()
        return bool(due)

    def next_due(self) -> datetime | None:
        """When something goes on by itself; None when only news can end the waiting."""
        times = [row.until for row in self._rests.rows() if row.until is not None]
        times += [at for _, at in self._alarms()]
        return min(times, default=None)

    def _alarms(self) -> Iterator[tuple[Holder, datetime]]:
        """The containers that want to be rung, and when; one that gives up with what is around it is not."""
        for holder in self._open.values():
            at = holder.alarm()
            if at is not None and not holder.frame.is_stopped:
                yield holder, at

    def resting(self) -> list[StepResult]:
        """The rows of steps that rest."""
        return self._rests.rows()

    def start(self, place: Place) -> None:
        """An attempt at this place begins."""
        for frame in place.frame.around():
            frame.busy += 1

    def record(self, place: Place, row: StepResult, now: datetime) -> None:
        """What came of an attempt: a final row, or one that rests."""
        self.now = now
        for frame in place.frame.around():
            frame.busy -= 1
            self._touched.append(frame)
        row = self._book.weighed(place.step, row)
        if place.has_called and row.status is StepStatus.FAILED and (row.error or {}).get("type") == "timeout":
            self._let_go.append(row.path)
        self._take(place.frame, row)
        if row.status in RESTING:
            self._rests.put(Place(place.step, place.frame, row))
        self._work()

    def mark_started(self, place: Place, row: StepResult) -> None:
        """A mark written ahead of an effect that must not happen twice."""
        self._take(place.frame, row)

    def take_rows(self) -> list[StepResult]:
        """The rows that changed since the last call."""
        return self._book.take()

    @property
    def has_rows(self) -> bool:
        """True when rows changed since they were taken."""
        return self._book.has_rows

    @property
    def has_let_go(self) -> bool:
        """True when a call was given up."""
        return bool(self._let_go)

    def take_let_go(self) -> list[str]:
        """The paths of calls that were given up while the run goes on: what they called is to be cancelled."""
        paths, self._let_go = self._let_go, []
        return paths

    def forget(self, beginnings: Iterable[str]) -> None:
        """Rows whose paths begin so are worthless."""
        starts = tuple(beginnings)
        for path in [path for path in self.known if path.startswith(starts)] if starts else ():
            del self.known[path]

    def end(self, now: datetime) -> None:
        """The run ends from outside: everything that waits ends with it."""
        self.now = now
        self.root.stop()
        self.abandon(self.root, now=now)
        # batches that a retry opened again, of loops it did not come to
        for row in self.known.values():
            if is_open_batch(row):
                self._book.put(closed_batch(row, now=now))

    # what containers do

    def enter(
        self,
        holder: Holder,
        body: PlannedBody,
        extra: Mapping[str, Json],
        *,
        names: Names,
        folds: bool,
        now: datetime,
        rows: Iterable[StepResult] = (),
    ) -> Frame:
        """Open a frame in a container. `folds`: its rows stand in the container's; `rows` were folded there."""
        del now
        self.known.update({row.path: row for row in rows})  # of this body, and of groups and tries inside it
        frame = Frame(
            body,
            inner_scope(holder.frame.scope, body, extra),
            names=names,
            owner=holder,
            folder=holder if folds else holder.frame.folder,
            rows=self._known_of(body, names),
            deadline=holder.inner_deadline,
        )
        self._arrive(frame)
        return frame

    def keep(self, frame: Frame, row: StepResult) -> None:
        """A row of this frame changed: it is stored by itself, or with the item it belongs to."""
        if frame.folder is None:
            self._book.put(row)
            return
        inner = frame
        while inner.owner is not None and inner.owner is not frame.folder:
            inner = inner.owner.frame
        frame.folder.mark(inner)

    def changed(self, holder: Holder) -> None:
        """A loop has rows to store; one inside another loop's item is stored with that."""
        if holder.has_ended:
            return
        self._book.mark(holder)
        if isinstance(holder, OpenWhile) and holder.frame.folder is not None:
            self.keep(holder.frame, holder.row())

    def closed(self, holder: Holder, row: StepResult) -> None:
        """A container has ended."""
        holder.has_ended = True
        holder.frame.opened.pop(holder.step.id, None)
        self._open.pop(holder.step.path, None)
        self._book.close(holder)
        self._take(holder.frame, row)
        self._touched.extend(holder.frame.around())

    def abandon(self, frame: Frame, *, now: datetime) -> None:
        """End everything that waits in this frame and inside it. Nothing follows from it any more."""
        frame.is_over = True
        for holder in tuple(frame.opened.values()):
            for inner in tuple(holder.frames()):
                self.abandon(inner, now=now)
            holder.closing(now=now)
            self.closed(holder, ended_with_run(replace(holder.row(), output=None), now=now))
        for place in self._rests.take_of(frame):
            if place.has_called:
                self._let_go.append(place.step.path)
            if place.before is not None:
                self._take(frame, ended_with_run(place.before, now=now))
        for row in tuple(frame.progress.results.values()):
            if row.status is StepStatus.STARTED:  # nobody will hear of it any more, so nobody knows whether it happened
                self._take(frame, unknown(frame.step(frame.body.by_id[id_of(row.path)]), row, now=now))

    # frames

    def _known_of(self, body: PlannedBody, names: Names) -> list[StepResult]:
        paths = (names.path(step) for step in body.steps)
        return [row for path in paths if (row := self.known.pop(path, None)) is not None]

    def _arrive(self, frame: Frame) -> None:
        """Take up what is known of a frame: finals are seen, timers run on, containers open again."""
        for row in tuple(frame.progress.results.values()):
            step = frame.step(frame.body.by_id[id_of(row.path)])
            if row.status.is_final:
                show(frame.scope, row)
            elif row.status is StepStatus.STARTED:
                self._lost.append(Place(step, frame, row))
            elif row.status is StepStatus.OPEN:
                self._reopen(frame, step, row)
            else:
                self._rests.load(Place(step, frame, row))
        self._touched.append(frame)

    def _settle_lost(self) -> None:
        """Started marks without a result: their process died in the effect."""
        while self._lost:
            place = self._lost.pop()
            if place.frame.is_over:
                continue
            assert place.before is not None  # noqa: S101 - lost places come with their mark
            row = lost(place.step, place.before, now=self.now)
            self._take(place.frame, row)
            if row.status in RESTING:
                self._rests.load(Place(place.step, place.frame, row))
            self._touched.extend(place.frame.around())

    def _work(self) -> None:
        """Follow every consequence until nothing changes."""
        while self._touched:
            frame = self._touched.popleft()
            self._pump(frame)
            if self._lost:
                self._settle_lost()

    def _pump(self, frame: Frame) -> None:
        if frame.is_over:
            return
        for row in frame.progress.take_skipped():
            named = replace(row, path=frame.names.prefix + row.path) if frame.names.prefix else row
            frame.progress.results[id_of(row.path)] = named
            self._take(frame, named)
        verdict = frame.progress.verdict
        if verdict is not None and not frame.is_stopped:
            frame.stop()
        elif not frame.is_stopped:
            for step in frame.progress.take_ready():
                self._offer(frame, frame.step(step))
        if frame.is_stopped and not frame.busy:
            self._close(frame, verdict)

    def _offer(self, frame: Frame, step: PlannedStep) -> None:
        """A leaf waits for the driver; a container opens at once."""
        if step.container is None:
            self._ready.append(Place(step, frame))
            return
        try:
            reason = reason_to_skip(step.condition, frame.scope)
        except ExpressionError as error:
            said = error_json(step, expression_failure(error).error, 1)
            row = StepResult(step.path, step.kind.key, StepStatus.FAILED, started_at=self.now, finished_at=self.now)
            self._take(frame, broken(step, row, said))
        else:
            if reason is None:
                self._reopen(frame, step, None)
                return
            self._take(frame, skip(step, reason, now=self.now))
        self._touched.append(frame)

    def _reopen(self, frame: Frame, step: PlannedStep, row: StepResult | None) -> None:
        holder = HOLDERS[type(step.container)](self, frame, step, now=(row and row.started_at) or self.now)
        frame.opened[step.id] = holder
        self._open[step.path] = holder
        if row is None:
            self._take(frame, holder.row())
        holder.open(row.output if row is not None else None, now=self.now)

    def _close(self, frame: Frame, verdict: Verdict | None) -> None:
        owner = frame.owner
        if owner is None:
            self.verdict = self.verdict or verdict  # what still waits ends together with the run: see `end`
        elif owner.has_ended or frame not in tuple(owner.frames()):
            return
        elif owner.failure is not None:
            if not owner.is_busy:
                owner.give_up(now=self.now)
        elif verdict is not None and not owner.frame.is_stopped:
            self.abandon(frame, now=self.now)
            owner.ended(frame, verdict, now=self.now)
            self._touched.append(owner.frame)

    def _take(self, frame: Frame, row: StepResult) -> None:
        frame.progress.record(row)
        show(frame.scope, row)
        self.keep(frame, row)
