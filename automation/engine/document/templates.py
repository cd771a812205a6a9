"""All expressions of a document: that they can be read, and what each of them refers to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from automation.engine.document.parse import Document, StepDocument
from automation.engine.expressions import ExpressionError, compile_template, tree_errors
from automation.engine.fields import ONE_EXPRESSION_PATTERN
from automation.engine.kinds import Kind, Kinds
from automation.engine.pointers import pointer
from automation.engine.problem import Problem
from automation.engine.wording import quoted, shown

Json = Any
OPENING = "{{"
ITEM_ROOTS = frozenset({"item", "index"})
KEY_ROOTS = ("inputs", "trigger")  # keys of limits are known before there is a run
_ONE_EXPRESSION = re.compile(ONE_EXPRESSION_PATTERN)


@dataclass(frozen=True, slots=True)
class Place:
    """A value that may hold expressions.

    `step` is None outside steps, where `what` names the place. `has_item`: item and index exist. `is_inside`: it is
    evaluated when the steps inside the container have ended. `roots`: it may read these only. `takes_secrets`: it goes
    to a connector and nowhere else.
    """

    pointer: str
    value: Json
    step: StepDocument | None = None
    what: str = ""
    has_item: bool = False
    is_inside: bool = False
    roots: tuple[str, ...] | None = None
    takes_secrets: bool = False

    @property
    def label(self) -> str:
        """How messages begin."""
        return self.step.label if self.step else self.what

    @property
    def has_error(self) -> bool:
        """True where the root `error` exists: in the steps of `catch` and `finally`."""
        return self.step is not None and self.step.around.is_in_handler


def places(document: Document, kinds: Kinds) -> Iterator[Place]:
    """Every value in which expressions are evaluated."""
    for step in document.steps():
        yield from _step_places(step, kinds)
    yield Place("/output", document.output, what="The output")
    for name in ("concurrency", "debounce"):
        rule = document.settings.get(name)
        key = rule.get("key") if isinstance(rule, dict) else None
        yield Place(f"/settings/{name}/key", key, what=f'"settings.{name}.key"', roots=KEY_ROOTS)


def _step_places(step: StepDocument, kinds: Kinds) -> Iterator[Place]:
    kind = kinds.get(step.uses or "")
    with_items = item_keys(kind) if kind else frozenset()
    with_secrets = secret_keys(kind) if kind else frozenset()
    yield Place(step.at("if"), step.fields.get("if"), step, has_item=step.is_repeated)
    verbatim = verbatim_keys(kind) if kind else frozenset()
    for key, value in step.config.items():
        if key in verbatim:
            continue
        has_item = step.is_repeated or key in with_items
        yield Place(step.at("with", key), value, step, has_item=has_item, takes_secrets=key in with_secrets)
    loop, calls = step.part("for_each"), step.part("call")
    yield Place(step.at("for_each", "items"), loop.get("items"), step, has_item=step.around.is_in_loop)
    yield Place(step.at("for_each", "label"), loop.get("label"), step, has_item=True)
    yield Place(step.at("while", "when"), step.part("while").get("when"), step, has_item=True)
    yield Place(step.at("call", "inputs"), calls.get("inputs"), step, has_item=step.is_repeated)
    is_loop = step.is_repeated or "while" in step.fields
    yield Place(step.at("output"), step.fields.get("output"), step, has_item=is_loop, is_inside=True)


def verbatim_keys(kind: Kind) -> frozenset[str]:
    """The keys of a kind's `with` in which braces are just braces, marked `x-verbatim` in its schema."""
    properties = kind.config_schema.get("properties", {})
    return frozenset(key for key in kind.lazy if properties.get(key, {}).get("x-verbatim"))


def item_keys(kind: Kind) -> frozenset[str]:
    """The keys of a kind's `with` that are evaluated once per item of a list, marked `x-item` in its schema."""
    properties = kind.config_schema.get("properties", {})
    return frozenset(key for key in kind.lazy if properties.get(key, {}).get("x-item"))


def secret_keys(kind: Kind) -> frozenset[str]:
    """The keys of a kind's `with` that may hold secrets, marked `x-secrets` in its schema."""
    properties = kind.config_schema.get("properties", {})
    marked = (key for key, schema in properties.items() if isinstance(schema, dict) and schema.get("x-secrets"))
    return frozenset(marked) - kind.lazy


def check_expressions(place: Place) -> Iterator[Problem]:
    """Every expression that cannot be read."""
    for error in tree_errors(place.value):
        yield Problem("expression", f"{place.label}: {error.message}", place.pointer + error.pointer)


def check_conditions(document: Document) -> Iterator[Problem]:
    """Every `if` and `while.when` that is not one whole expression: with text around it, it would always be true."""
    for step in document.steps():
        wanted = 'one expression such as "{{ inputs.amount > 100 }}"'
        yield from _one_expression(step, ("if",), step.fields.get("if"), wanted)
        wanted = 'one expression such as "{{ index < 3 }}"'
        yield from _one_expression(step, ("while", "when"), step.part("while").get("when"), wanted)


def check_items(document: Document) -> Iterator[Problem]:
    """Every `for_each.items` that is a text but no whole expression: a text has no items."""
    for step in document.steps():
        wanted = 'a list or one expression such as "{{ inputs.lines }}"'
        items = step.part("for_each").get("items")
        yield from _one_expression(step, ("for_each", "items"), items, wanted, code="constant_items")


def _one_expression(
    step: StepDocument, field: tuple[str, ...], value: Json, wanted: str, *, code: str = "constant_condition"
) -> Iterator[Problem]:
    if isinstance(value, str) and _ONE_EXPRESSION.match(value) is None:
        message = f"{step.label}: {quoted('.'.join(field))} must be {wanted}, got {shown(value)}."
        yield Problem(code, message, step.at(*field))


@dataclass(frozen=True, slots=True)
class Reading:
    """A path that an expression reads, and the pointer of its text. `is_required`: nothing stands in for it."""

    pointer: str
    path: tuple[str | int, ...]
    is_required: bool


def references(place: Place) -> Iterator[Reading]:
    """All that the expressions of a place refer to, in the document's order."""
    for at, text in _texts(place):
        try:
            template = compile_template(text)
        except ExpressionError:
            continue  # told by check_expressions
        for path in sorted(template.references, key=str):
            yield Reading(at, path, path in template.required)


def _texts(place: Place) -> Iterator[tuple[str, str]]:
    pending = [(place.pointer, place.value)]
    while pending:
        at, value = pending.pop()
        if isinstance(value, str) and OPENING in value:
            yield at, value
        elif isinstance(value, dict):
            pending.extend((pointer([key], base=at), inner) for key, inner in reversed(value.items()))
        elif isinstance(value, list):
            pending.extend((f"{at}/{index}", value[index]) for index in range(len(value) - 1, -1, -1))
