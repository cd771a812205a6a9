"""CronError: a cron expression is refused."""

from __future__ import annotations

from automation.engine.wording import quoted


class CronError(ValueError):
    """A cron expression cannot be used. `position` counts characters from 0; `reason` names field and value."""

    def __init__(self, expression: str, position: int, reason: str) -> None:
        super().__init__(f"Cron {quoted(expression)} at position {position}: {reason}")
        self.expression = expression
        self.position = position
        self.reason = reason
