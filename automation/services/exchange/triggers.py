"""Triggers of a file: checked like any other, without the secrets they may carry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from automation.engine.document.parse import parse_document
from automation.engine.inputs import Inputs
from automation.engine.wording import one_of, quoted
from automation.services.conditions import condition_problems
from automation.services.exchange.plans import NewTrigger
from automation.services.trigger_checks import config_problems
from automation.triggers import all_trigger_kinds
from automation.triggers.contract import TriggerKind
from brainops.core.errors import Problem

Json = Any


def read_triggers(
    told: Sequence[Mapping[str, Json]], definition: Mapping[str, Json] | None, at: str
) -> tuple[list[NewTrigger], list[Problem]]:
    """The triggers that can be written, and everything wrong with the others. `at` is the workflow's place.

    `definition` is None when it was refused: then nobody can tell which inputs would do.
    """
    good: list[NewTrigger] = []
    bad: list[Problem] = []
    for index, one in enumerate(told):
        found = list(_problems(one, definition, f"{at}/triggers/{index}"))
        bad.extend(found)
        if not found:
            good.append(_new(one))
    return good, bad


def secrets_in(told: Sequence[Mapping[str, Json]], at: str) -> list[Problem]:
    """A note for each secret that a file carries: it is not read."""
    notes = []
    for index, one in enumerate(told):
        kind = all_trigger_kinds().get(one.get("kind", ""))
        for name in sorted((kind.secret_keys if kind else frozenset()) & set(one.get("config", {}))):
            said = f"The {name!r} of a trigger is never imported: a new one is made and shown once."
            notes.append(Problem("secret_ignored", said, f"{at}/triggers/{index}/config/{name}"))
    return notes


def _problems(one: Mapping[str, Json], definition: Mapping[str, Json] | None, at: str) -> list[Problem]:
    kind = all_trigger_kinds().get(one["kind"])
    if kind is None:
        known = one_of(all_trigger_kinds(), last="and")
        said = f"There is no trigger kind {quoted(one['kind'])} in this release. Known: {known}."
        return [Problem("unknown_kind", said, f"{at}/kind")]
    found = [
        Problem(wrong.code, wrong.message, at + wrong.pointer) for wrong in config_problems(kind, _plain(kind, one))
    ]
    found += [Problem(bad.code, bad.message, at + bad.pointer) for bad in condition_problems(one.get("condition", ""))]
    if kind.clock is not None and definition is not None and not found:
        found.extend(_input_problems(one.get("inputs", {}), definition, at))
    return found


def _input_problems(inputs: Mapping[str, Json], definition: Mapping[str, Json], at: str) -> list[Problem]:
    """Fixed inputs are all that a clock's run gets, so they have to suffice."""
    wanted = Inputs(parse_document(definition).inputs)
    wrong = wanted.check(wanted.complete(dict(inputs)))
    return [Problem(one.code, one.message, f"{at}/inputs{one.pointer}") for one in wrong]


def _new(one: Mapping[str, Json]) -> NewTrigger:
    kind = all_trigger_kinds()[one["kind"]]
    config = dict(kind.complete(_plain(kind, one)))
    is_active, condition = one.get("is_active", True), one.get("condition", "")
    return NewTrigger(kind.key, one.get("name", ""), config, one.get("inputs", {}), is_active, condition)


def _plain(kind: TriggerKind, one: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in one.get("config", {}).items() if name not in kind.secret_keys}
