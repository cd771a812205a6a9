"""Place: one step of one frame that a driver may attempt now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from automation.engine.course.frame import Frame
from automation.engine.planned import PlannedStep
from automation.engine.results import StepResult
from automation.engine.status import StepStatus

Json = Any
NEWS = frozenset({"approval", "signal", "child", "unknown"})  # waits that end by news, not by time alone


@dataclass(slots=True, eq=False)
class Place:
    """A step to attempt, under the path it has in its frame. `before` is its row when it rested."""

    step: PlannedStep
    frame: Frame
    before: StepResult | None = None
    has_news: bool = True  # as far as anybody knows: a row just loaded is looked at

    @property
    def scope(self) -> dict[str, Json]:
        """What its expressions see."""
        return self.frame.scope

    @property
    def is_woken(self) -> bool:
        """True when it only waited for a time that has come."""
        return self.before is not None and self.before.status is StepStatus.WAITING and not self.waits_for_news

    @property
    def waits_for_news(self) -> bool:
        """True when its kind has to be asked whether the wait is over."""
        before = self.before
        if before is None or before.status is not StepStatus.WAITING or not isinstance(before.reason, dict):
            return False
        return before.reason.get("type") in NEWS

    @property
    def is_asked_about(self) -> bool:
        """True when people are asked what became of its effect."""
        return self.waits_for_news and self.before is not None and self.before.reason.get("type") == "unknown"

    @property
    def began_at(self) -> datetime | None:
        """When its wait began; None unless it is asked again."""
        return self.before.started_at if self.before is not None and self.waits_for_news else None

    @property
    def has_called(self) -> bool:
        """True when it waits for a run that it called."""
        return self.waits_for_news and self.before is not None and self.before.reason.get("type") == "child"

    @property
    def number(self) -> int:
        """The number of the attempt: the next one after a failure, the same one while it waits."""
        if self.before is None:
            return 1
        return self.before.attempt + (1 if self.before.status is StepStatus.RETRYING else 0)

    @property
    def is_in_loop(self) -> bool:
        """True when results of many like it are kept together."""
        return self.frame.folder is not None
