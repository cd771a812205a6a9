"""The declared inputs of a workflow: fill in defaults, then check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from automation.engine.checker import Checker
from automation.engine.pointers import document_order, pointer
from automation.engine.problem import Problem
from automation.engine.violations import Violation
from automation.engine.wording import ended, quoted

Json = Any


class Inputs:
    """What a run may be started with. Immutable; free to share between threads."""

    __slots__ = ("_checker", "_defaults", "_is_closed", "names")

    def __init__(self, schema: Mapping[str, Json]) -> None:
        self._checker = Checker({"type": "object", **schema}, is_given=True)
        properties = schema.get("properties", {})
        self.names = frozenset(properties)  # that are declared
        self._is_closed = schema.get("additionalProperties") is False
        self._defaults = {
            name: rule["default"] for name, rule in properties.items() if isinstance(rule, dict) and "default" in rule
        }

    def admits(self, name: str) -> bool:
        """True when an input of this name may be sent."""
        return name in self.names or not self._is_closed

    def complete(self, value: Json) -> Json:
        """The inputs with declared defaults for what is missing at the top level; other values as they are."""
        if not self._defaults or not isinstance(value, dict):
            return value
        return {**self._defaults, **value}

    def check(self, value: Json) -> tuple[Problem, ...]:
        """Everything wrong with the completed inputs; pointers start at the inputs themselves."""
        if self._checker.is_valid(value):
            return ()
        found = [_problem(violation) for violation in self._checker.violations(value)]
        return tuple(sorted(found, key=lambda problem: document_order(problem.pointer)))


def _problem(violation: Violation) -> Problem:
    at = pointer(violation.path)
    if violation.missing is not None:
        place = ".".join(str(part) for part in (*violation.path, violation.missing))
        return Problem("required", f"Input {quoted(place)} is required. Add it.", at)
    message = f"Input {violation.sentence()}" if violation.path else ended(f"The inputs {violation.message}")
    return Problem(violation.code, message, at)
