"""RRuleError: a recurrence rule is refused."""

from __future__ import annotations

from automation.engine.wording import quoted


class RRuleError(ValueError):
    """A rule cannot be used. `position` counts characters from 0; `reason` names part and value."""

    def __init__(self, rule: str, position: int, reason: str) -> None:
        super().__init__(f"RRULE {quoted(rule)} at position {position}: {reason}")
        self.rule = rule
        self.position = position
        self.reason = reason
