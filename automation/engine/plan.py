"""Plans: a checked document made ready to run. Shared by all threads of a process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from automation.engine.calls import CALL_KIND
from automation.engine.checker import Checker, SchemaError
from automation.engine.containers import ANYTHING, container_kind
from automation.engine.document.parse import Body, Document, StepDocument, parse_document
from automation.engine.document.templates import ITEM_ROOTS, secret_keys
from automation.engine.document.tolerant import config_checker
from automation.engine.durations import DurationError, parse_duration
from automation.engine.expressions import ExpressionError, compile_template, compile_tree
from automation.engine.inputs import Inputs
from automation.engine.kinds import Kind, Kinds
from automation.engine.mentions import mentions
from automation.engine.planned import (
    Concurrency,
    Container,
    Debounce,
    ForEach,
    Group,
    Plan,
    PlannedBody,
    PlannedStep,
    PlanSettings,
    Try,
    While,
)
from automation.engine.planned_order import PlanError, in_order
from automation.engine.retry import RetryPolicy
from automation.engine.secrets import keeps_sealed, sealed_of

__all__ = ["Plan", "PlanError", "PlanSettings", "PlannedBody", "PlannedStep", "build_plan", "settings_of"]

Json = Any
NOTHING = compile_tree({})


def build_plan(definition: Mapping[str, Json], kinds: Kinds) -> Plan:
    """Plan a checked definition.

    Raises PlanError when this release cannot run it: unknown kinds or steps, circles, expressions, durations or an
    inputs schema that cannot be read.
    """
    document = parse_document(definition)
    try:
        named = mentions(definition, kinds)
        body = _Planner(kinds, named.names("secrets")).body(document.body, document.fields)
        return Plan(
            steps=body.steps,
            by_id=body.by_id,
            dependents=body.dependents,
            output=body.output,
            settings=_settings(document),
            inputs=Inputs(document.inputs),
            vars=named.names("vars"),
        )
    except (SchemaError, ExpressionError, DurationError) as error:
        raise PlanError(str(error)) from error


def settings_of(definition: Mapping[str, Json]) -> PlanSettings:
    """The settings of a checked definition alone. Raises PlanError."""
    try:
        return _settings(parse_document(definition))
    except (ExpressionError, DurationError) as error:
        raise PlanError(str(error)) from error


class _Planner:
    """Plans bodies within bodies. `secrets` are all that the document sends anywhere."""

    def __init__(self, kinds: Kinds, secrets: tuple[str, ...]) -> None:
        self._kinds = kinds
        self._secrets = secrets

    def body(self, body: Body, holder: Mapping[str, Json]) -> PlannedBody:
        """One list of steps; `holder` is what its `output` stands in."""
        steps = tuple(self._step(step, index) for index, step in enumerate(in_order(body.steps)))
        output = compile_tree(holder["output"]) if "output" in holder else None
        return _body_of(steps, output)

    def _step(self, step: StepDocument, index: int) -> PlannedStep:
        if "for_each" in step.fields:
            return self._loop(step, index)
        if step.is_container:
            return _planned(step, index, container_kind(_word(step)), container=self._container(step))
        return self._leaf(step, index)

    def _leaf(self, step: StepDocument, index: int) -> PlannedStep:
        if "call" in step.fields:
            return _planned(step, index, CALL_KIND, config=step.part("call"))
        kind = self._kinds.get(step.uses or "")
        if kind is None:
            raise PlanError(f'{step.label}: "{step.uses}" is no known kind of step.')
        # a service may answer with what another step sent it
        masks = self._secrets if secret_keys(kind) else ()
        return _planned(step, index, kind, config=step.config, masks=masks)

    def _container(self, step: StepDocument) -> Container:
        bodies = {body.key: body for body in step.bodies}
        body = self.body(bodies["steps"], step.fields)
        if "while" in step.fields:
            return _while(step.part("while"), body)
        if "try" in step.fields:
            handlers = {key: self.body(bodies[key], {}) for key in ("catch", "finally") if key in bodies}
            return Try(body, handlers.get("catch"), handlers.get("finally"))
        return Group(body)

    def _loop(self, step: StepDocument, index: int) -> PlannedStep:
        """`for_each` around nested steps, or around the step itself, which then is the body."""
        if step.is_container:
            body = self.body(step.bodies[0], step.fields)
        else:
            body = _body_of((_alone(self._leaf(step, 0)),), None)
        loop, condition = step.part("for_each"), step.fields.get("if")
        asks_each = _mentions_item(condition)
        label = loop.get("label")
        container = ForEach(
            body=body,
            items=compile_tree(loop["items"]),
            label=compile_template(label) if isinstance(label, str) else None,
            condition=compile_template(condition) if asks_each and condition is not None else None,
            concurrency=loop.get("concurrency", 1),
            on_item_error=loop.get("on_item_error", "fail"),
            batch=loop.get("batch", 100),
            is_single=not step.is_container,
        )
        return _planned(step, index, container_kind("for_each"), container=container, is_asked=not asks_each)


def _mentions_item(condition: Json) -> bool:
    """True when the answer may differ from item to item."""
    if not isinstance(condition, str):
        return False
    return any(path[0] in ITEM_ROOTS for path in compile_template(condition).references)


def _word(step: StepDocument) -> str:
    return next((word for word in ("while", "try") if word in step.fields), "group")


def _alone(step: PlannedStep) -> PlannedStep:
    """The step as the only one of a body: needs and `if` are the loop's, and its failure is the item's."""
    return replace(step, needs=(), join="all", wanted=0, on_error="fail", condition=None)


def _body_of(steps: tuple[PlannedStep, ...], output: Any) -> PlannedBody:
    return PlannedBody(
        steps=steps,
        by_id=MappingProxyType({step.id: step for step in steps}),
        dependents=MappingProxyType(_dependents(steps)),
        output=output,
    )


def _while(fields: Mapping[str, Json], body: PlannedBody) -> While:
    when = fields["when"]
    return While(
        body=body,
        when=compile_template(when) if isinstance(when, str) else when,
        max_iterations=fields["max_iterations"],
        every_seconds=parse_duration(fields["every"]) if "every" in fields else 0.0,
    )


def _planned(
    step: StepDocument,
    index: int,
    kind: Kind,
    *,
    config: Mapping[str, Json] | None = None,
    container: Container | None = None,
    is_asked: bool = True,
    masks: tuple[str, ...] = (),
) -> PlannedStep:
    given = dict(config or {})
    eager = {key: value for key, value in given.items() if key not in kind.lazy}
    tree = compile_tree(eager, keeps=keeps_sealed(kind)) if given else NOTHING
    checker: Checker = config_checker(kind) if container is None else ANYTHING
    timeout = step.fields.get("timeout")
    longest = kind.default_timeout_seconds if container is None else float("inf")
    if isinstance(container, ForEach) and container.is_single:
        timeout = None  # it is the limit of each item's attempt
    condition = step.fields.get("if") if is_asked else None
    return PlannedStep(
        id=step.id,
        path=step.id,
        name=step.name,
        index=index,
        kind=kind,
        config=tree,
        lazy=MappingProxyType({key: value for key, value in given.items() if key in kind.lazy}),
        fixed=given if tree.is_constant and checker.is_valid(given) else None,
        checker=checker,
        condition=compile_template(condition) if isinstance(condition, str) else condition,
        needs=step.needs,
        join=step.join,
        wanted=_wanted(step),
        retry=RetryPolicy.read(step.fields.get("retry")),
        timeout_seconds=parse_duration(timeout) if timeout else longest,
        on_error=step.on_error,
        is_limited=bool(timeout),
        on_unknown=step.fields.get("on_unknown", "fail"),
        container=container,
        sealed=sealed_of(eager, tree, kind) if masks else None,
        masks=masks,
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
    said = document.settings
    return PlanSettings(
        timeout_seconds=_seconds(said, "timeout"),
        checkpoint=said.get("checkpoint", "effects"),
        concurrency=_concurrency(said.get("concurrency")),
        debounce=_debounce(said.get("debounce")),
        priority=said.get("priority", 5),
        queue=said.get("queue"),
        on_failure=said.get("on_failure"),
    )


def _concurrency(said: Mapping[str, Json] | None) -> Concurrency | None:
    if not said:
        return None
    key = said.get("key")
    return Concurrency(
        limit=said["limit"],
        key=compile_template(key) if key is not None else None,
        when_full=said.get("when_full", "queue"),
        queue_limit=said.get("queue_limit"),
    )


def _debounce(said: Mapping[str, Json] | None) -> Debounce | None:
    if not said:
        return None
    key = said.get("key")
    return Debounce(
        wait_seconds=parse_duration(said["wait"]),
        key=compile_template(key) if key is not None else None,
        max_wait_seconds=_seconds(said, "max_wait"),
    )


def _seconds(said: Mapping[str, Json], name: str) -> float | None:
    return parse_duration(said[name]) if said.get(name) else None
