"""Group and try: bodies that run once, with handlers for what goes wrong."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from automation.engine.advance import Verdict
from automation.engine.course.frame import Frame
from automation.engine.course.holder import Holder
from automation.engine.expressions import ExpressionError
from automation.engine.planned import Group, PlannedBody, Try
from automation.engine.results import StepResult
from automation.engine.status import RunStatus

Json = Any
BODY, CATCH, ULTIMATELY = "body", "catch", "finally"


class OpenGroup(Holder):
    """Nested steps that run once. Their ids are unique in the document, so their paths need no prefix of their own."""

    _inner: Frame | None = None

    def open(self, state: Json, *, now: datetime) -> None:
        """Begin, or go on."""
        del state
        self._enter(self._container.body, {}, now=now)

    @property
    def _container(self) -> Group | Try:
        container = self.step.container
        assert isinstance(container, Group | Try)  # noqa: S101 - the plan pairs them
        return container

    def _enter(self, body: PlannedBody, roots: dict[str, Json], *, now: datetime) -> None:
        self._inner = self.course.enter(self, body, roots, names=self.frame.names.inside(), folds=False, now=now)

    def frames(self) -> Iterable[Frame]:
        """The one pass under way."""
        return () if self._inner is None else (self._inner,)

    def rows_inside(self) -> Iterable[StepResult]:
        """The rows of its steps, which lie beside its own."""
        return () if self._inner is None else self._inner.rows()

    def ended(self, frame: Frame, verdict: Verdict, *, now: datetime) -> None:
        """The steps have ended, and so has the group."""
        self._inner = None
        if verdict.status is RunStatus.SUCCEEDED:
            self._answer(frame, now=now)
        else:
            self.fail(verdict.error, now=now)

    def _answer(self, frame: Frame, *, now: datetime, port: str | None = None) -> None:
        try:
            output = self.rendered(frame.body.output, frame.scope)
        except ExpressionError as error:
            self.broken(error, now=now, what="Output")
        else:
            self.succeed(output, now=now, port=port)


class OpenTry(OpenGroup):
    """Steps, what follows their failure, and what follows in any case.

    When the steps succeed the port is `ok` and the output theirs; after a failure that `catch` dealt with it is
    `caught` and the output `{"error": …}`. What `finally` does changes nothing unless it fails itself.
    """

    def __init__(self, *around: Any, now: datetime) -> None:
        super().__init__(*around, now=now)
        self._stage = BODY
        self._error: Json = None  # of the body, for `catch` and `finally`
        self._uncaught: Json = None  # what the try will fail with after `finally`
        self._output: Json = None

    def state(self) -> Json:
        """The stage, and what it came from."""
        return {"stage": self._stage, "error": self._error, "uncaught": self._uncaught, "output": self._output}

    def open(self, state: Json, *, now: datetime) -> None:
        """Begin with the body, or go on in the stage the run was in."""
        if isinstance(state, dict) and "stage" in state:
            self._stage, self._error = state["stage"], state["error"]
            self._uncaught, self._output = state["uncaught"], state["output"]
        self._begin(self._stage, now=now)

    def _begin(self, stage: str, *, now: datetime) -> None:
        container = self._container
        assert isinstance(container, Try)  # noqa: S101 - the plan pairs them
        body = {BODY: container.body, CATCH: container.catch, ULTIMATELY: container.ultimately}[stage]
        if body is None:
            self._after(stage, now=now)
            return
        self._stage = stage
        self.course.keep(self.frame, self.row())
        self._enter(body, {} if stage == BODY else {"error": self._error}, now=now)

    def ended(self, frame: Frame, verdict: Verdict, *, now: datetime) -> None:
        """A stage has ended: which comes next?"""
        self._inner = None
        has_failed = verdict.status is not RunStatus.SUCCEEDED
        if self._stage == BODY:
            if has_failed:
                self._error = verdict.error
            elif not self._take_output(frame, now=now):
                return
            self._begin(CATCH if self._error is not None else ULTIMATELY, now=now)
            return
        if has_failed:
            self._uncaught = verdict.error
        self._after(self._stage, now=now, was_run=True)

    def _take_output(self, frame: Frame, *, now: datetime) -> bool:
        try:
            self._output = self.rendered(frame.body.output, frame.scope)
        except ExpressionError as error:
            self.broken(error, now=now, what="Output")
            return False
        return True

    def _after(self, stage: str, *, now: datetime, was_run: bool = False) -> None:
        if stage == CATCH:
            if not was_run:
                self._uncaught = self._error  # nobody catches it
            self._begin(ULTIMATELY, now=now)
        elif self._uncaught is not None:
            self.fail(self._uncaught, now=now)
        elif self._error is not None:
            self.succeed({"error": self._error}, now=now, port="caught")
        else:
            self.succeed(self._output, now=now, port="ok")
