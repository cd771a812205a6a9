"""What a trigger needs to know about a version to start a run of it: completed inputs and the deadline."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from automation.engine.durations import parse_duration
from automation.engine.inputs import Inputs
from automation.engine.problem import Problem
from automation.models import WorkflowVersion


class NotRunnable(Exception):
    """The inputs do not fit the version; pointers are into the inputs."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(" ".join(problem.message for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class StartPlan:
    """The inputs with declared defaults filled in, and how long the run may take."""

    version_id: UUID
    inputs: dict[str, Any]
    deadline_seconds: float | None


def start_plan(version_id: UUID, given: dict[str, Any]) -> StartPlan:
    """Complete and check inputs for a version. Raises NotRunnable."""
    inputs, deadline_seconds = _declared(version_id)
    completed = inputs.complete(given)
    if problems := inputs.check(completed):
        raise NotRunnable(problems)
    return StartPlan(version_id, completed, deadline_seconds)


@lru_cache(maxsize=512)
def _declared(version_id: UUID) -> tuple[Inputs, float | None]:
    """A version never changes, so neither does this."""
    definition = WorkflowVersion.objects.values_list("definition", flat=True).get(id=version_id)
    timeout = definition.get("settings", {}).get("timeout")
    return Inputs(definition.get("inputs", {})), parse_duration(timeout) if timeout else None
