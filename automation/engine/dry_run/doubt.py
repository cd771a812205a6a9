"""Doubt: which values of a dry run are made up, and what may therefore turn out otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from automation.engine.expressions import ExpressionError, Template, compile_template
from automation.engine.planned import PlannedStep

Json = Any
LOOP_ROOTS = frozenset({"item", "error"})  # they may hold whatever a step gave


class Doubt:
    """The steps whose outputs were made up, and those that read them."""

    def __init__(self) -> None:
        self._steps: set[str] = set()

    def add(self, step: PlannedStep) -> None:
        """The answer of this step was made up."""
        self._steps.add(step.id)

    def touches(self, step: PlannedStep) -> bool:
        """True when anything this step reads may be made up."""
        paths = [reference.path for reference in step.config.references]
        for value in step.lazy.values():
            paths += _paths_in(value)
        if isinstance(step.condition, Template):
            paths += step.condition.references
        return self._any(paths)

    def reads(self, templates: Iterable[Json]) -> bool:
        """True when one of these templates reads something made up."""
        return self._any(path for value in templates for path in _paths_in(value))

    def explains(self, error: ExpressionError | Mapping[str, Json]) -> bool:
        """True when what could not be evaluated was to come from something made up."""
        source = error.expression if isinstance(error, ExpressionError) else error.get("expression")
        return isinstance(source, str) and self._any(_paths_in(source))

    def _any(self, paths: Iterable[tuple[str | int, ...]]) -> bool:
        if not self._steps:
            return False
        return any(
            path[0] in LOOP_ROOTS or (path[0] == "steps" and (len(path) < 2 or path[1] in self._steps))
            for path in paths
        )


def _paths_in(value: Json) -> list[tuple[str | int, ...]]:
    if isinstance(value, str):
        try:
            return list(compile_template(value).references)
        except ExpressionError:
            return []
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [path for one in inner for path in _paths_in(one)]
