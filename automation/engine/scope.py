"""The scope: what expressions of a run can see, as plain JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from automation.engine.planned import PlannedBody
from automation.engine.results import StepResult, id_of

Json = Any
Scope = dict[str, Json]
PENDING: Mapping[str, Json] = {"status": "pending", "output": None, "error": None}


def new_scope(
    body: PlannedBody,
    *,
    inputs: Json,
    trigger: Json,
    run: Mapping[str, Json],
    variables: Mapping[str, Json] | None = None,
    results: Iterable[StepResult] = (),
) -> Scope:
    """The roots `inputs`, `trigger`, `steps`, `run` and `vars`.

    `run` holds id, number, workflow, version, started_at, attempt and mode. Steps without a final row are there as
    pending, without output. The root `secrets` is not here: it exists only while a connector is called.
    """
    steps: dict[str, Mapping[str, Json]] = dict.fromkeys(body.by_id, PENDING)
    scope: Scope = {"inputs": inputs, "trigger": trigger, "steps": steps, "run": dict(run)}
    scope["vars"] = dict(variables or {})
    for result in results:
        show(scope, result)
    return scope


def show(scope: Scope, result: StepResult) -> None:
    """Let expressions see a final row as `steps.<id>`; rows that are not final stay pending."""
    if result.status.is_final:
        said = {"status": result.status.word, "output": result.output, "error": result.error}
        scope["steps"][id_of(result.path)] = said


def inner_scope(outer: Mapping[str, Json], body: PlannedBody, roots: Mapping[str, Json]) -> Scope:
    """What the steps of one pass through a body can see: all around it, their own steps, and `roots`."""
    steps = {**outer["steps"], **dict.fromkeys(body.by_id, PENDING)}
    return {**outer, "steps": steps, **roots}
