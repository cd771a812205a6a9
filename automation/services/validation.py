"""Is this a workflow? The answer without saving anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from automation.engine.plan import Plan, build_plan
from automation.services import documents, mentioned, workflow_calls
from automation.steps import all_kinds
from brainops.core.errors import Problem


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong, or what would run. `plan` and `checksum` are None when the document is refused."""

    problems: tuple[Problem, ...]
    plan: Plan | None = None
    checksum: str | None = None


def validate(definition: Any, inputs: Any = None, *, workspace_id: UUID | None = None) -> Verdict:
    """Check a document; with `inputs`, also whether a run could start; with a workspace, also what it names there."""
    problems = tuple(documents.refusals(definition))
    if not problems and workspace_id is not None:
        called = workflow_calls.refusals(workflow_calls.Caller(workspace_id, "", definition))
        problems = (*called, *mentioned.refusals(workspace_id, definition))
    if problems:
        return Verdict(problems)
    plan = build_plan(definition, all_kinds())
    return Verdict(_input_problems(plan, inputs), plan, documents.checksum(definition))


def _input_problems(plan: Plan, inputs: Any) -> tuple[Problem, ...]:
    if inputs is None:
        return ()
    found = plan.inputs.check(plan.inputs.complete(inputs))
    return tuple(Problem(one.code, one.message, f"/inputs{one.pointer}") for one in found)
