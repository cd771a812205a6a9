"""Plans: a checked document made ready to run. Immutable, shared by all threads of a process."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from automation.engine.checker import Checker, SchemaError
from automation.engine.document.parse import Document, Need, StepDocument, parse_document
from automation.engine.document.tolerant import config_checker
from automation.engine.durations import DurationError, parse_duration
from automation.engine.expressions import ExpressionError, Template, Tree, compile_template, compile_tree
from automation.engine.inputs import Inputs
from automation.engine.kinds import Kind, Kinds
from automation.engine.retry import RetryPolicy

Json = Any


class PlanError(ValueError):
    """A document cannot be planned: it was not checked, or checked by another release."""


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One step ready to run.

    `config` is the compiled `with`; the keys that the kind evaluates itself stand in `lazy` as written. `fixed` is
    the whole `with` when nothing in it has to be evaluated; `checker` judges what was. `wanted` is how many of
    `needs` must be taken. `path` names the step in the run's rows; outside loops it is the id.
    """

    id: str
    path: str
    name: str
    index: int
    kind: Kind
    config: Tree
    lazy: Mapping[str, Json]
    fixed: Mapping[str, Json] | None
    checker: Checker
    condition: Template | bool | None
    needs: tuple[Need, ...]
    join: str | int
    wanted: int
    retry: RetryPolicy
    timeout_seconds: float
    on_error: str


@dataclass(frozen=True, slots=True)
class PlanSettings:
    """Settings of every run. `checkpoint` is "effects" (results become durable with the next effect) or "step"."""

    timeout_seconds: float | None = None
    checkpoint: str = "effects"


@dataclass(frozen=True, slots=True)
class Plan:
    """A workflow ready to run. `steps` are ordered so that every step comes after all it needs.

    `dependents` names, for each step, the places in `steps` of those that need it.
    """

    steps: tuple[PlannedStep, ...]
    by_id: Mapping[str, PlannedStep]
    dependents: Mapping[str, tuple[int, ...]]
    output: Tree | None
    settings: PlanSettings
    inputs: Inputs


def build_plan(definition: Mapping[str, Json], kinds: Kinds) -> Plan:
    """Plan a checked definition.

    Raises PlanError when this release cannot run it: unknown kinds or steps, circles, expressions, durations or an
    inputs schema that cannot be read.
    """
    try:
        return _build(parse_document(definition), kinds)
    except (SchemaError, ExpressionError, DurationError) as error:
        raise PlanError(str(error)) from error


def _build(document: Document, kinds: Kinds) -> Plan:
    ordered = _in_order(document.body.steps)
    steps = tuple(_planned(step, index, kinds) for index, step in enumerate(ordered))
    return Plan(
        steps=steps,
        by_id=MappingProxyType({step.id: step for step in steps}),
        dependents=MappingProxyType(_dependents(steps)),
        output=compile_tree(document.output) if "output" in document.fields else None,
        settings=_settings(document),
        inputs=Inputs(document.inputs),
    )


def _in_order(steps: Sequence[StepDocument]) -> list[StepDocument]:
    """Needed steps first, otherwise as in the document (Kahn 1962, with a heap for the document's order)."""
    places = {step.id: place for place, step in enumerate(steps)}
    followers: dict[str, list[int]] = {step.id: [] for step in steps}
    left = [0] * len(steps)
    for place, step in enumerate(steps):
        for name in {need.step for need in step.needs}:
            if name not in places:
                raise PlanError(f'{step.label} needs "{name}", which is no step of this document.')
            followers[name].append(place)
            left[place] += 1
    ready = [place for place, count in enumerate(left) if count == 0]
    ordered = []
    while ready:
        step = steps[heapq.heappop(ready)]
        ordered.append(step)
        for place in followers[step.id]:
            left[place] -= 1
            if left[place] == 0:
                heapq.heappush(ready, place)
    if len(ordered) < len(steps):
        raise PlanError("Steps wait for each other in a circle.")
    return ordered


def _planned(step: StepDocument, index: int, kinds: Kinds) -> PlannedStep:
    kind = kinds.get(step.uses or "")
    if kind is None:
        raise PlanError(f'{step.label}: "{step.uses}" is no known kind of step.')
    config = compile_tree({key: value for key, value in step.config.items() if key not in kind.lazy})
    checker = config_checker(kind)
    timeout = step.fields.get("timeout")
    condition = step.fields.get("if")
    return PlannedStep(
        id=step.id,
        path=step.id,
        name=step.name,
        index=index,
        kind=kind,
        config=config,
        lazy=MappingProxyType({key: value for key, value in step.config.items() if key in kind.lazy}),
        fixed=dict(step.config) if config.is_constant and checker.is_valid(dict(step.config)) else None,
        checker=checker,
        condition=compile_template(condition) if isinstance(condition, str) else condition,
        needs=step.needs,
        join=step.join,
        wanted=_wanted(step),
        retry=RetryPolicy.read(step.fields.get("retry")),
        timeout_seconds=parse_duration(timeout) if timeout else kind.default_timeout_seconds,
        on_error=step.on_error,
    )


def _wanted(step: StepDocument) -> int:
    if isinstance(step.join, int):
        return step.join
    return min(1, len(step.needs)) if step.join == "any" else len(step.needs)


def _dependents(steps: Iterable[PlannedStep]) -> dict[str, tuple[int, ...]]:
    found: dict[str, list[int]] = {step.id: [] for step in steps}
    for step in steps:
        for name in {need.step for need in step.needs}:
            found[name].append(step.index)
    return {name: tuple(places) for name, places in found.items()}


def _settings(document: Document) -> PlanSettings:
    timeout = document.settings.get("timeout")
    return PlanSettings(
        timeout_seconds=parse_duration(timeout) if timeout else None,
        checkpoint=document.settings.get("checkpoint", "effects"),
    )
