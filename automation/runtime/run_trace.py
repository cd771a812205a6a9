"""The spans of a run on this process: one for its stay here, one for each attempt of a step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from automation.engine.kinds import Fail, Outcome
from automation.runtime.flights import Act
from automation.runtime.plans import Loaded
from automation.store.claim import Claimed
from brainops.core import tracing


class RunTrace:
    """Belongs to one turn. Attempts are made in any thread, so they are told whose they are."""

    def __init__(self, run: Claimed, version: Loaded) -> None:
        self._run, self._version = run, version
        self._parent = ""

    @contextmanager
    def stay(self) -> Iterator[None]:
        """Around all that the turn does; a child of the request that started the run, where that was traced."""
        if not tracing.is_on():
            yield
            return
        run = self._run
        about: dict[str, str | int | bool] = {
            "brainops.run.id": str(run.uid),
            "brainops.run.attempt": run.attempt,
            "brainops.workflow.id": str(run.workflow_id),
            "brainops.workflow.name": self._version.workflow_name,
            "brainops.workflow.version": self._version.number,
            "brainops.queue": run.queue,
        }
        name = f"run {self._version.workflow_name}"
        with tracing.span(name, tracing.CONSUMER, about, parent=str(run.input.get("trace", ""))):
            self._parent = tracing.traceparent()
            yield

    def around(self, path: str, kind: str, number: int, act: Act) -> Act:
        """The attempt, in a span of its own."""
        if not self._parent:
            return act

        def traced() -> Outcome:
            about: tracing.Attributes = {
                "brainops.step.path": path,
                "brainops.step.kind": kind,
                "brainops.step.attempt": number,
            }
            with tracing.span(f"step {kind}", tracing.INTERNAL, about, parent=self._parent) as current:
                outcome = act()
                if isinstance(outcome, Fail) and current is not None:
                    current.error = outcome.error.type
                return outcome

        return traced
