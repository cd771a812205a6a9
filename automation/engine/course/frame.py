"""Frame: one pass through one body."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from automation.engine.planned import PlannedBody, PlannedStep
from automation.engine.progress import Progress
from automation.engine.results import StepResult

if TYPE_CHECKING:
    from automation.engine.course.holder import Holder

Json = Any


@dataclass(frozen=True, slots=True)
class Names:
    """How a frame names its steps: `loop[17].` in front, or the one path of its only step."""

    prefix: str = ""
    only: str | None = None

    def path(self, step: PlannedStep) -> str:
        """The path of a step of the frame."""
        return self.only or self.prefix + step.id

    def inside(self) -> Names:
        """The names in a body that runs once within this frame."""
        return Names(self.prefix)


class Frame:
    """One pass through one body: its rows, what its expressions see, and the containers open in it.

    `busy` counts attempts under way in it and in everything inside. A stopped frame starts nothing more, nothing
    follows from one that is over. `folder` is the loop whose row holds the rows of this frame; None where they have
    rows of their own.
    """

    __slots__ = (
        "body",
        "busy",
        "deadline",
        "folder",
        "is_over",
        "is_stopped",
        "names",
        "opened",
        "owner",
        "progress",
        "scope",
    )

    def __init__(
        self,
        body: PlannedBody,
        scope: dict[str, Json],
        *,
        names: Names,
        owner: Holder | None,
        folder: Holder | None,
        rows: Iterable[StepResult] = (),
        deadline: datetime | None = None,
    ) -> None:
        self.body = body
        self.scope = scope
        self.names = names
        self.owner = owner
        self.folder = folder
        self.deadline = deadline
        self.progress = Progress(body, rows)
        self.opened: dict[str, Holder] = {}  # containers under way, by the id of their step
        self.busy = 0
        self.is_stopped = False
        self.is_over = False

    def step(self, step: PlannedStep) -> PlannedStep:
        """The step under its name in this frame."""
        path = self.names.path(step)
        return step if path == step.path else replace(step, path=path)

    def around(self) -> Iterator[Frame]:
        """This frame and those around it, the nearest first."""
        frame: Frame | None = self
        while frame is not None:
            yield frame
            frame = frame.owner.frame if frame.owner is not None else None

    def stop(self) -> None:
        """Start nothing more, here and inside."""
        self.is_stopped = True
        for holder in self.opened.values():
            for frame in holder.frames():
                frame.stop()

    def rows(self) -> Iterator[StepResult]:
        """The rows to fold: its own, and those of groups and tries open in it."""
        for name, row in self.progress.results.items():
            holder = self.opened.get(name)
            yield row if holder is None else holder.row()
        for holder in self.opened.values():
            yield from holder.rows_inside()
