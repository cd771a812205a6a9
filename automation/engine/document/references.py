"""What expressions refer to, checked against the graph before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from automation.engine.document.closure import Closure
from automation.engine.document.flat import Flat
from automation.engine.document.output_paths import unknown_output
from automation.engine.document.parse import Document, StepDocument
from automation.engine.document.templates import ITEM_ROOTS, Place, item_keys, references, secret_keys
from automation.engine.document.visibility import Visibility
from automation.engine.kinds import Kinds
from automation.engine.problem import Problem
from automation.engine.wording import did_you_mean, one_of, quoted

Path = tuple[str | int, ...]
ROOTS = ("inputs", "trigger", "steps", "run", "vars")
ERROR_ROOT = "error"
SECRETS_ROOT = "secrets"
RUN_FIELDS = ("id", "number", "workflow", "version", "started_at", "attempt", "mode")
STEP_FIELDS = ("output", "status", "error")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a reference leads nowhere."""

    what: str
    code: str = "unknown_reference"


class References:
    """Checks references of one document."""

    def __init__(self, document: Document, flat: Flat, closure: Closure, kinds: Kinds) -> None:
        self._document = document
        self._flat = flat
        self._visibility = Visibility(flat, closure)
        self._kinds = kinds
        self._checks: Mapping[str, Callable[[Place, Path], Iterator[Refusal]]] = {
            "steps": self._step,
            "inputs": self._input,
            "run": self._run,
            "vars": self._variable,
            SECRETS_ROOT: self._secret,
        }

    def check(self, place: Place) -> Iterator[Problem]:
        """Every reference of a place that cannot lead anywhere."""
        for read in references(place):
            for refusal in self._check(place, read.path):
                yield Problem(refusal.code, f"{place.label}: {refusal.what}", read.pointer)

    def _check(self, place: Place, path: Path) -> Iterator[Refusal]:
        root = str(path[0])
        if place.roots is not None and root not in place.roots:
            yield Refusal(f"{quoted(root)} is not known before there is a run. Use {one_of(place.roots, last='and')}.")
        elif root in self._checks:
            yield from self._checks[root](place, path)
        elif root in ITEM_ROOTS and not place.has_item:
            yield self._no_item(root)
        elif root == ERROR_ROOT and not place.has_error:
            yield Refusal('"error" exists only in the steps of "catch" and "finally". Read steps.<id>.error instead.')
        elif root not in (*ROOTS, *ITEM_ROOTS, ERROR_ROOT):
            yield self._unknown_root(root)

    def _step(self, place: Place, path: Path) -> Iterator[Refusal]:
        if len(path) == 1:
            yield Refusal('"steps" alone is not a value; name one step as in steps.order.output.')
            return
        name = str(path[1])
        if name not in self._flat.steps:
            hint = did_you_mean(name, list(self._flat.ids()))
            yield Refusal(f'"steps.{name}" names no step of this document.{hint}')
        elif place.step is not None and (why := self._visibility.refusal(name, place.step, is_inside=place.is_inside)):
            yield Refusal(why, "not_an_ancestor")
        elif len(path) > 2 and path[2] not in STEP_FIELDS:
            hint = did_you_mean(str(path[2]), STEP_FIELDS)
            yield Refusal(f'"steps.{name}" has {one_of(STEP_FIELDS, last="and")}, not {quoted(str(path[2]))}.{hint}')
        elif len(path) > 3 and path[2] == "output":
            yield from self._output(self._flat.steps[name].step, path[3:])

    def _output(self, step: StepDocument, path: Path) -> Iterator[Refusal]:
        kind = self._kinds.get(step.uses or "")
        if step.on_error == "continue" and path[0] == "error":
            return
        if "for_each" in step.fields:
            if isinstance(path[0], str):
                yield self._list(step, path[0])
            return
        if kind is None:
            return
        unknown = unknown_output(kind.output_schema, path)
        if unknown is not None:
            hint = did_you_mean(unknown.name, unknown.known) or f" It has {one_of(unknown.known, last='and')}."
            what = f'"steps.{step.id}.output{unknown.before}" has no field {quoted(unknown.name)}.{hint}'
            yield Refusal(what)

    def _input(self, _place: Place, path: Path) -> Iterator[Refusal]:
        schema = self._document.inputs
        known = schema.get("properties")
        if not isinstance(known, dict) or schema.get("additionalProperties") is not False:
            return
        if len(path) > 1 and path[1] not in known and "patternProperties" not in schema:
            hint = did_you_mean(str(path[1]), list(known)) or " Declare it under inputs.properties."
            yield Refusal(f'"inputs.{path[1]}" is not declared.{hint}')

    def _run(self, _place: Place, path: Path) -> Iterator[Refusal]:
        if len(path) > 1 and path[1] not in RUN_FIELDS:
            hint = did_you_mean(str(path[1]), RUN_FIELDS) or f" It has {one_of(RUN_FIELDS, last='and')}."
            yield Refusal(f'"run" has no field {quoted(str(path[1]))}.{hint}')

    def _variable(self, _place: Place, path: Path) -> Iterator[Refusal]:
        if len(path) == 1 or not isinstance(path[1], str):
            yield Refusal('"vars" alone is not a value; name one variable as in vars.base_url.')

    def _secret(self, place: Place, path: Path) -> Iterator[Refusal]:
        if not place.takes_secrets:
            yield Refusal(f"secrets cannot be read here. {self._secret_places(place)}", "secret_not_allowed")
        elif len(path) == 1 or not isinstance(path[1], str):
            yield Refusal('"secrets" alone is not a value; name one secret as in secrets.token.')
        elif len(path) > 2:
            yield Refusal(f'"secrets.{path[1]}" is a text and has no parts.')

    def _secret_places(self, place: Place) -> str:
        kind = self._kinds.get(place.step.uses or "") if place.step else None
        keys = sorted(secret_keys(kind)) if kind else []
        if kind is not None and keys:
            return f"Of {quoted(kind.key)} only {one_of(keys, last='and')} take them."
        return "They go only into the inputs of connector steps that take them, such as the headers of http.request."

    def _list(self, step: StepDocument, name: str) -> Refusal:
        what = f'"steps.{step.id}.output" is a list, an output for each item, and has no field {quoted(name)}.'
        return Refusal(f'{what} Take one with [0], or this field of all with |map(attribute="{name[:60]}").')

    def _no_item(self, root: str) -> Refusal:
        keys = sorted({key for kind in self._kinds.values() for key in item_keys(kind)})
        where = f"where a kind goes through a list: in {one_of(keys)}"
        return Refusal(f'"{root}" exists only inside of "for_each" and "while", and {where}.')

    def _unknown_root(self, root: str) -> Refusal:
        if root in self._flat.steps:
            hint = f" Did you mean {quoted(f'steps.{root}.output')}?"
        elif root in self._properties():
            hint = f" Did you mean {quoted(f'inputs.{root}')}?"
        else:
            hint = did_you_mean(root, ROOTS) or f" Expressions know {one_of(ROOTS, last='and')}."
        return Refusal(f"{quoted(root)} is unknown.{hint}")

    def _properties(self) -> Mapping[str, Any]:
        known = self._document.inputs.get("properties")
        return known if isinstance(known, dict) else {}
