"""Holder: a container under way, and the frames open in it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from automation.engine.advance import Verdict
from automation.engine.containers import TITLES
from automation.engine.course.frame import Frame
from automation.engine.document.ports import ERROR_PORT
from automation.engine.durations import duration_text
from automation.engine.expressions import Budget, ExpressionError, Tree
from automation.engine.kinds import ErrorClass, StepError
from automation.engine.planned import PlannedStep
from automation.engine.prepare import expression_details
from automation.engine.results import StepResult
from automation.engine.scope import Scope
from automation.engine.settle import error_json
from automation.engine.status import StepStatus

if TYPE_CHECKING:
    from automation.engine.course.course import Course

Json = Any


class Holder(ABC):
    """What all containers have in common: a row while open, one end, a time limit, an orderly failure.

    `failure` is the error it will end with as soon as nothing inside is under way any more.
    """

    def __init__(self, course: Course, frame: Frame, step: PlannedStep, *, now: datetime) -> None:
        self.course = course
        self.frame = frame
        self.step = step
        self.started_at = now
        self.failure: Json = None
        self.has_ended = False

    # what a container says

    @abstractmethod
    def open(self, state: Json, *, now: datetime) -> None:
        """Open the first frame; `state` is what `state()` said when the run was here before, None at first."""

    @abstractmethod
    def ended(self, frame: Frame, verdict: Verdict, *, now: datetime) -> None:
        """One of its frames came to its end."""

    @abstractmethod
    def frames(self) -> Iterable[Frame]:
        """The frames open now."""

    def state(self) -> Json:
        """What its open row keeps to go on from."""
        return None

    def rows_inside(self) -> Iterable[StepResult]:
        """The rows that are folded together with its own."""
        return ()

    def mark(self, frame: Frame) -> None:
        """A row in one of its frames changed."""
        del frame  # only loops fold rows

    def stored(self) -> Iterable[StepResult]:
        """The rows that changed since the last call (loops)."""
        return ()

    def alarm(self) -> datetime | None:
        """When it wants to be rung."""
        return self.deadline if self.failure is None else None

    def ring(self, *, now: datetime) -> None:
        """The alarm's time has come."""
        if self.failure is None and self.deadline is not None and now >= self.deadline:
            length = duration_text(self.step.timeout_seconds)
            said = f'"{self.step.path}" took longer than its time limit of {length}. Raise "timeout" or do less in it.'
            self.fail(StepError("timeout", said, ErrorClass.TIMEOUT), now=now)

    # what all share

    @property
    def deadline(self) -> datetime | None:
        """When its own time is over."""
        if self.step.timeout_seconds == float("inf"):
            return None
        return self.started_at + timedelta(seconds=self.step.timeout_seconds)

    @property
    def inner_deadline(self) -> datetime | None:
        """When everything inside has to be over: the first of the limits around."""
        limits = [limit for limit in (self.deadline, self.frame.deadline) if limit is not None]
        return min(limits, default=None)

    @property
    def is_busy(self) -> bool:
        """True while an attempt inside is under way."""
        return any(frame.busy for frame in self.frames())

    def row(self) -> StepResult:
        """Its row while it is open."""
        step = self.step
        return StepResult(step.path, step.kind.key, StepStatus.OPEN, output=self.state(), started_at=self.started_at)

    def succeed(self, output: Json, *, now: datetime, port: str | None = None, reason: Json = None) -> None:
        """End well."""
        self._end(StepStatus.SUCCEEDED, now=now, output=output, port=port, reason=reason)

    def fail(self, error: StepError | Json, *, now: datetime, reason: Json = None) -> None:
        """End badly, as soon as nothing inside is under way."""
        self.failure = error_json(self.step, error, 1) if isinstance(error, StepError) else error
        for frame in self.frames():
            frame.stop()
        if not self.is_busy:
            self.give_up(now=now, reason=reason)

    def give_up(self, *, now: datetime, reason: Json = None) -> None:
        """End with the failure: what still waits inside ends with it."""
        if self.has_ended:
            return
        for frame in tuple(self.frames()):
            self.course.abandon(frame, now=now)
        self.closing(now=now)
        error, goes_on = self.failure, self.step.on_error == "continue"
        port = ERROR_PORT if goes_on else None
        output = {"error": error} if goes_on else None
        self._end(StepStatus.FAILED, now=now, output=output, port=port, error=error, reason=reason or self.summary())

    def closing(self, *, now: datetime) -> None:
        """Settle what is left of it before its row ends."""
        del now  # only loops have rows left to settle

    def summary(self) -> Json:
        """What the final row says in short (loops)."""
        return None

    def rendered(self, tree: Tree | None, scope: Scope) -> Json:
        """An output rendered. Raises ExpressionError."""
        return None if tree is None else tree.render(scope, Budget())

    def broken(self, error: ExpressionError, *, now: datetime, what: str) -> None:
        """End because an expression of the container cannot be evaluated."""
        said = f"{what} of {TITLES[self.step.kind.key][0]} {self.step.path!r}: {error.message}"
        self.fail(StepError("expression", said, ErrorClass.USER, details=expression_details(error)), now=now)

    def _end(self, status: StepStatus, *, now: datetime, **values: Json) -> None:
        row = StepResult(
            self.step.path, self.step.kind.key, status, started_at=self.started_at, finished_at=now, **values
        )
        self.course.closed(self, row)
