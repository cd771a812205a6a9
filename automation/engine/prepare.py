"""prepare: evaluate a step's `if` and `with` against what is known, before it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from automation.engine.expressions import Budget, ExpressionError, Template, explain
from automation.engine.kinds import ErrorClass, Fail, StepError
from automation.engine.planned import PlannedStep
from automation.engine.pointers import pointer
from automation.engine.violations import Violation
from automation.engine.wording import quoted

Json = Any
Scope = Mapping[str, Json]
SHOWN_VIOLATIONS = 3


@dataclass(frozen=True, slots=True)
class Prepared:
    """The step may run with this `with`: rendered, checked, lazy keys as written."""

    config: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Skipped:
    """The step's `if` does not hold; the reason keeps the operands."""

    reason: Json


def prepare(step: PlannedStep, scope: Scope) -> Prepared | Skipped | Fail:
    """Evaluate `if`, render `with`, check it against the kind's schema.

    What cannot be evaluated or does not fit fails with class USER: the same values would fail again.
    """
    try:
        reason = reason_to_skip(step.condition, scope)
        if reason is not None:
            return Skipped(reason)
        if step.fixed is not None:
            return Prepared(step.fixed)
        config = {**step.config.render(scope, Budget()), **step.lazy}
    except ExpressionError as error:
        return expression_failure(error)
    if step.checker.is_valid(config):
        return Prepared(config)
    return _misfit(step, step.checker.violations(config))


def expression_failure(error: ExpressionError) -> Fail:
    """The failure of a step whose expression cannot be evaluated."""
    return Fail(StepError("expression", error.message, ErrorClass.USER, details=expression_details(error)))


def expression_details(error: ExpressionError) -> dict[str, Json]:
    """Where in the configuration, which expression, and where in it."""
    return {"pointer": error.pointer, "expression": error.expression, "position": error.position}


def reason_to_skip(condition: Template | bool | None, scope: Scope) -> Json:
    """Why an `if` does not hold, with the operands that decided; None when the step may run.

    Raises ExpressionError.
    """
    if condition is None or condition is True:
        return None
    if isinstance(condition, Template):
        value = condition.evaluate(scope, Budget())
        if value:
            return None
        return {
            "type": "if",
            "expression": condition.source,
            "value": value,
            "operands": explain(condition, scope),
        }
    return {"type": "if", "expression": condition, "value": condition, "operands": []}


def _misfit(step: PlannedStep, violations: tuple[Violation, ...]) -> Fail:
    """The rendered `with` does not fit the kind: name the first places and values."""
    said = " ".join(_sentence(step, violation) for violation in violations[:SHOWN_VIOLATIONS])
    more = f" And {len(violations) - SHOWN_VIOLATIONS} more." if len(violations) > SHOWN_VIOLATIONS else ""
    details = {"violations": [{"pointer": pointer(one.path), "code": one.code} for one in violations]}
    return Fail(StepError("config", f"{said}{more}", ErrorClass.USER, details=details))


def _sentence(step: PlannedStep, violation: Violation) -> str:
    if violation.missing is None:
        return violation.sentence()
    place = ".".join(str(part) for part in (*violation.path, violation.missing))
    return f"{quoted(place)} is required by {step.kind.group} › {step.kind.title}."
