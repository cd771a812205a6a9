"""While: a body that runs again as long as an expression holds. One row in all, with the pass under way in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from automation.engine.advance import Verdict
from automation.engine.course.fold import fold, unfold
from automation.engine.course.frame import Frame, Names
from automation.engine.course.holder import Holder
from automation.engine.expressions import Budget, ExpressionError, Template
from automation.engine.kinds import ErrorClass, StepError
from automation.engine.planned import While
from automation.engine.results import StepResult
from automation.engine.status import RunStatus
from automation.engine.weight import is_too_heavy, size_of, too_heavy

Json = Any


class OpenWhile(Holder):
    """Passes one after the other. `index` counts them from 0, `item` is what the last one answered."""

    def __init__(self, *around: Any, now: datetime) -> None:
        super().__init__(*around, now=now)
        self._index = 0
        self._last: Json = None
        self._pass: Frame | None = None
        self._next_at: datetime | None = None
        self._pass_began = now

    @property
    def _container(self) -> While:
        container = self.step.container
        assert isinstance(container, While)  # noqa: S101 - the plan pairs them
        return container

    def state(self) -> Json:
        """How far it came, and the rows of the pass under way."""
        said: dict[str, Json] = {"passes": self._index, "last": self._last}
        if self._pass is not None:
            said["steps"] = fold(self._pass.rows())
        if self._next_at is not None:
            said["next_at"] = self._next_at.isoformat()
        return said

    def open(self, state: Json, *, now: datetime) -> None:
        """Begin, or go on in the pass the run was in."""
        if not isinstance(state, dict):
            self._ask(now=now)
            return
        self._index, self._last = state["passes"], state["last"]
        if "next_at" in state:
            self._next_at = datetime.fromisoformat(state["next_at"])
        elif "steps" in state:
            self._enter(unfold(state["steps"]), now=now)
        else:
            self._ask(now=now)

    def frames(self) -> Iterable[Frame]:
        """The pass under way."""
        return () if self._pass is None else (self._pass,)

    def mark(self, frame: Frame) -> None:
        """Its own row changed, which may lie in that of a loop around it."""
        del frame
        self.course.changed(self)

    def stored(self) -> Iterable[StepResult]:
        """Its own row, unless a loop around it holds it."""
        return (self.row(),) if self.frame.folder is None else ()

    def alarm(self) -> datetime | None:
        """The start of the next pass, or the end of its time."""
        due = [at for at in (self._next_at, super().alarm()) if at is not None]
        return min(due, default=None)

    def ring(self, *, now: datetime) -> None:
        """Start the pass that waited for its time."""
        super().ring(now=now)
        if self.failure is None and self._next_at is not None and now >= self._next_at:
            self._next_at = None
            self._ask(now=now)

    def ended(self, frame: Frame, verdict: Verdict, *, now: datetime) -> None:
        """One pass is over."""
        self._pass = None
        if verdict.status is not RunStatus.SUCCEEDED:
            self.fail(verdict.error, now=now)
            return
        try:
            self._last = self.rendered(frame.body.output, frame.scope)
        except ExpressionError as error:
            self.broken(error, now=now, what="Output")
            return
        if is_too_heavy(self._last):
            said = too_heavy("The output of one pass", size=size_of(self._last))
            self.fail(StepError("value_too_large", said, ErrorClass.USER), now=now)
            return
        self._index += 1
        self._pause(now=now)

    def summary(self) -> Json:
        """How many passes there were."""
        return {"type": "while", "passes": self._index}

    def _pause(self, *, now: datetime) -> None:
        next_at = self._pass_began + timedelta(seconds=self._container.every_seconds)
        if next_at <= now:
            self._ask(now=now)
            return
        self._next_at = next_at
        self.course.changed(self)

    def _ask(self, *, now: datetime) -> None:
        """Another pass?"""
        try:
            goes_on = self._holds()
        except ExpressionError as error:
            self.broken(error, now=now, what='"when"')
            return
        most = self._container.max_iterations
        if not goes_on:
            self.succeed(self._last, now=now, reason=self.summary())
        elif self._index >= most:
            said = (
                f'"{self.step.path}" made {most} passes and "when" still holds. Raise "max_iterations" or mend "when".'
            )
            self.fail(StepError("too_many_passes", said, ErrorClass.USER), now=now)
        else:
            self._enter((), now=now)

    def _holds(self) -> bool:
        when = self._container.when
        if isinstance(when, Template):
            return bool(when.evaluate({**self.frame.scope, **self._roots()}, Budget()))
        return bool(when)

    def _enter(self, rows: Iterable[StepResult], *, now: datetime) -> None:
        self._pass_began = now
        names = Names(prefix=f"{self.step.path}[{self._index}].")
        body = self._container.body
        self._pass = self.course.enter(self, body, self._roots(), names=names, folds=True, rows=rows, now=now)
        self.course.changed(self)

    def _roots(self) -> Mapping[str, Json]:
        return {"index": self._index, "item": self._last}
