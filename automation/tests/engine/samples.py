"""Small documents and kinds for the tests of the engine."""

from collections.abc import Callable
from typing import Any

from automation.engine.kinds import Done, Effect, ErrorClass, Fail, Kind, Outcome, StepError
from automation.engine.plan import Plan, build_plan
from automation.engine.results import StepResult
from automation.engine.status import StepStatus
from automation.steps import all_kinds


def document(*steps: dict[str, Any], **rest: Any) -> dict[str, Any]:
    """A document with these steps."""
    return {"schema": 1, "steps": list(steps), **rest}


def step(name: str, /, *needs: str, **rest: Any) -> dict[str, Any]:
    """A step that succeeds with an empty object, whatever it needs."""
    fields = {"id": name, "uses": "transform", "with": {"set": {}}, **rest}
    return {**fields, "needs": list(needs)} if needs else fields


def branch(name: str, /, *needs: str, when: Any = True, **rest: Any) -> dict[str, Any]:
    """A condition."""
    return step(name, *needs, uses="condition", **{"with": {"when": when}, **rest})


def plan(*steps: dict[str, Any], kinds: tuple[Kind, ...] = (), **rest: Any) -> Plan:
    """The plan of a document; `kinds` come beside the real ones."""
    return build_plan(document(*steps, **rest), {**all_kinds(), **{one.key: one for one in kinds}})


def kind(key: str = "probe", run: Callable[..., Outcome] = lambda _call: Done(), **fields: Any) -> Kind:
    """A kind that takes any `with`."""
    declared: dict[str, Any] = {
        "title": "Probe",
        "description": "A kind for tests.",
        "group": "Tests",
        "icon": "science",
        "effect": Effect.PURE,
        "config_schema": {"type": "object"},
        "output_schema": {},
    }
    return Kind(key=key, run=run, **{**declared, **fields})


def failure(error_class: ErrorClass = ErrorClass.USER, type_: str = "probe_failed", **fields: Any) -> Fail:
    """A failed attempt."""
    return Fail(StepError(type_, "It failed.", error_class, **fields))


def row(path: str, status: StepStatus = StepStatus.SUCCEEDED, **fields: Any) -> StepResult:
    """A row of a run."""
    return StepResult(path=path, kind="transform", status=status, **fields)
