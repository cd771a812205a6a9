"""Loops, tries, groups and calls: what may stand together on one step, and what belongs to the steps inside."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from automation.engine.document.parse import Document, StepDocument
from automation.engine.document.templates import OPENING
from automation.engine.problem import Problem
from automation.engine.wording import quoted

LOOPS = ("for_each", "while", "try")


def check_containers(document: Document) -> Iterator[Problem]:
    """Fields that stand together on a step and contradict each other, or that stand at the wrong step."""
    for step in document.steps():
        yield from _check_nesting(step)
        yield from _check_repeats(step)
        yield from _check_call(step)


def _check_nesting(step: StepDocument) -> Iterator[Problem]:
    present = [field for field in LOOPS if field in step.fields]
    for outer, inner in combinations(present, 2):
        message = (
            f'{step.label}: "{outer}" and "{inner}" cannot stand on one step. '
            f'Nest them: a step with "{outer}" whose "steps" hold the one with "{inner}".'
        )
        yield Problem("conflicting_fields", message, step.at(inner))


def _check_repeats(step: StepDocument) -> Iterator[Problem]:
    if step.is_container and "retry" in step.fields:
        message = f'{step.label}: "retry" cannot repeat a whole container. Put it on the steps inside.'
        yield Problem("misplaced_field", message, step.at("retry"))
    if "on_unknown" not in step.fields:
        return
    if step.is_container:
        message = f'{step.label}: "on_unknown" is about one effect. Put it on the steps inside.'
        yield Problem("misplaced_field", message, step.at("on_unknown"))
    elif "call" in step.fields:
        message = f'{step.label}: "on_unknown" has no meaning for a call, which starts its run exactly once. Remove it.'
        yield Problem("misplaced_field", message, step.at("on_unknown"))
    elif step.part("retry").get("unsafe") is True and step.fields["on_unknown"] != "retry":
        said = quoted(str(step.fields["on_unknown"]))
        message = f'{step.label}: "retry.unsafe" repeats what "on_unknown" {said} would not. Remove "retry.unsafe".'
        yield Problem("conflicting_fields", message, step.at("retry", "unsafe"))


def _check_call(step: StepDocument) -> Iterator[Problem]:
    call = step.part("call")
    name = call.get("workflow")
    if isinstance(name, str) and OPENING in name:
        message = (
            f'{step.label}: "call.workflow" is written out, so that circles can be found; got {quoted(name)}. '
            "Call one of several by a condition and a step for each."
        )
        yield Problem("constant_wanted", message, step.at("call", "workflow"))
    if call.get("wait") is False and "on_failure" in call:
        message = f'{step.label}: "call.on_failure" needs "wait": the end of the called run is not seen. Remove it.'
        yield Problem("conflicting_fields", message, step.at("call", "on_failure"))
