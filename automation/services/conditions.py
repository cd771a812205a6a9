"""Conditions of triggers ("run only if"): one expression over `trigger`, `inputs` and `vars`; empty means always."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from automation.engine.expressions import Budget, ExpressionError, compile_template, explain
from automation.engine.fields import ONE_EXPRESSION_PATTERN
from automation.engine.wording import one_of, quoted, shown
from automation.models import Variable
from brainops.core.errors import Problem

Json = Any

ROOTS = ("trigger", "inputs", "vars")
LONGEST = 2_000  # characters
HOLDS, DOES_NOT, FAILED = "condition_true", "condition_false", "condition_failed"
_ONE_EXPRESSION = re.compile(ONE_EXPRESSION_PATTERN)


@dataclass(frozen=True, slots=True)
class Judged:
    """What a condition says. `operands` are the values that decided: `[{"expression": "inputs.total", "value": 12}]`.

    `code` is condition_true, condition_false or condition_failed (it could not be evaluated); `reason` says it to
    people, "" when there is no condition.
    """

    code: str = HOLDS
    reason: str = ""
    operands: list[dict[str, Json]] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """True when a run may start."""
        return self.code == HOLDS


ALWAYS = Judged()


def condition_problems(text: str) -> Iterator[Problem]:
    """Everything wrong with a condition, with pointers that begin with `/condition`."""
    if not text:
        return
    if len(text) > LONGEST:
        yield _problem("too_long", f"The condition must have at most {LONGEST} characters, got {len(text)}.")
    elif _ONE_EXPRESSION.match(text) is None:
        wanted = 'one expression such as "{{ trigger.item.total > 100 }}"'
        yield _problem("constant_condition", f"The condition must be {wanted}, got {shown(text)}.")
    else:
        yield from _reading_problems(text)


def judge(text: str, *, inputs: Json, trigger: Json, variables: Mapping[str, Json] | None = None) -> Judged:
    """Evaluate a condition. Never raises: what cannot be evaluated lets no run start, and says why."""
    if not text:
        return ALWAYS
    scope = {"inputs": inputs, "trigger": trigger, "vars": dict(variables or {})}
    try:
        template = compile_template(text)
        value = bool(template.evaluate(scope, Budget()))
        operands = explain(template, scope)
    except ExpressionError as error:
        return Judged(FAILED, f"The condition cannot be evaluated. {error.message}")
    said = "holds" if value else "does not hold"
    return Judged(HOLDS if value else DOES_NOT, f"The condition {said}: {_told(text, operands)}", operands)


def variables_for(workspace_id: UUID, *texts: str) -> dict[str, Json]:
    """The variables that conditions read. No query when they read none."""
    names = {name for text in texts for name in _variable_names(text)}
    if not names:
        return {}
    rows = Variable.objects.filter(workspace_id=workspace_id, name__in=names)
    return dict(rows.values_list("name", "value"))


def _reading_problems(text: str) -> Iterator[Problem]:
    try:
        template = compile_template(text)
    except ExpressionError as error:
        yield _problem("expression", error.message)
        return
    for path in sorted(template.references, key=str):
        if path[0] not in ROOTS:
            said = f"{quoted(str(path[0]))} is not known before there is a run. Use {one_of(ROOTS, last='and')}."
            yield _problem("unknown_reference", f"The condition: {said}")
        elif path == ("vars",):
            said = '"vars" alone is not a value; name one variable as in vars.base_url.'
            yield _problem("unknown_reference", f"The condition: {said}")


def _variable_names(text: str) -> Iterator[str]:
    if "vars" not in text:
        return
    try:
        paths = compile_template(text).references
    except ExpressionError:
        return  # told when it is judged
    yield from (str(path[1]) for path in paths if path[0] == "vars" and len(path) > 1)


def _told(text: str, operands: list[dict[str, Json]]) -> str:
    """The condition with the values it saw, in one line."""
    seen = [f"{one['expression']} is {_value(one)}" for one in operands]
    return f"{text} with {', '.join(seen)}." if seen else f"{text}."


def _value(operand: Mapping[str, Json]) -> str:
    if "value" in operand:
        return shown(operand["value"])
    return "missing" if operand.get("missing") else "not evaluated"


def _problem(code: str, message: str) -> Problem:
    return Problem(code, message, "/condition")
