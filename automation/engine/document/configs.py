"""The kind of each step and its `with`."""

from __future__ import annotations

from collections.abc import Iterator

from automation.engine.document.naming import step_problem
from automation.engine.document.parse import Document, StepDocument
from automation.engine.document.tolerant import config_checker
from automation.engine.kinds import Kind, Kinds
from automation.engine.pointers import pointer
from automation.engine.problem import Problem
from automation.engine.violations import Violation
from automation.engine.wording import did_you_mean, one_of, quoted


def check_configs(document: Document, kinds: Kinds) -> Iterator[Problem]:
    """Unknown kinds, and every `with` against the schema of its kind; expressions may stand for any value."""
    for step in document.steps():
        kind = kinds.get(step.uses or "")
        if kind is not None:
            yield from _check_config(step, kind)
        elif step.uses:
            yield _unknown_kind(step, step.uses, kinds)


def broken_configs(document: Document, kinds: Kinds) -> frozenset[str]:
    """The pointers of steps whose `with` does not fit their kind."""
    return frozenset(
        step.pointer
        for step in document.steps()
        if step.uses is not None
        and step.uses in kinds
        and not config_checker(kinds[step.uses]).is_valid(dict(step.config))
    )


def kind_name(kind: Kind) -> str:
    """How messages name a kind: `Slack › Post a message`."""
    return f"{kind.group} › {kind.title}"


def _check_config(step: StepDocument, kind: Kind) -> Iterator[Problem]:
    if not isinstance(step.fields.get("with", {}), dict):
        return  # told by the document's own schema
    for violation in config_checker(kind).violations(dict(step.config)):
        if violation.missing is not None:
            yield _missing(step, kind, violation)
        else:
            inside = Violation(("with", *violation.path), violation.code, violation.message)
            yield step_problem(step, inside, below=0)


def _missing(step: StepDocument, kind: Kind, violation: Violation) -> Problem:
    place = ".".join(str(part) for part in (*violation.path, violation.missing))
    message = f"{step.label}: {quoted(place)} is required by {kind_name(kind)}. Add it or map it from an earlier step."
    return Problem("required", message, pointer(violation.path, base=step.at("with")))


def _unknown_kind(step: StepDocument, uses: str, kinds: Kinds) -> Problem:
    hint = did_you_mean(uses, list(kinds)) or f" Known: {one_of(sorted(kinds)[:20], last='and')}."
    return Problem("unknown_kind", f"{step.label}: {quoted(uses)} is no known kind of step.{hint}", step.at("uses"))
