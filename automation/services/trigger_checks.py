"""Check what a trigger is made of; every problem at once, with the place in the body it is about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from automation.engine.checker import Checker
from automation.engine.wording import did_you_mean, one_of, quoted
from automation.models import Workflow
from automation.services.conditions import condition_problems
from automation.services.field_checks import problems
from automation.services.runnable import by_version
from automation.triggers import all_trigger_kinds
from automation.triggers.contract import TriggerKind
from brainops.core.errors import InvalidInput, Problem

NAME_CHARACTERS = 200  # as wide as the column

Json = Any


@dataclass(frozen=True, slots=True)
class CheckedConfig:
    """A config ready to store, and apart from it the write-only values that came with it."""

    stored: dict[str, Json]
    secrets: dict[str, Json] = field(default_factory=dict)


def kind_of(key: str) -> TriggerKind:
    """The kind of that key. Raises InvalidInput that names the known ones."""
    kind = all_trigger_kinds().get(key)
    if kind is None:
        hint = did_you_mean(key, all_trigger_kinds()) or f" Known: {one_of(all_trigger_kinds(), last='and')}."
        raise InvalidInput.from_problems(
            [Problem("unknown_kind", f"There is no trigger kind {quoted(key)}.{hint}", "/kind")]
        )
    return kind


def checked(
    kind: TriggerKind,
    workflow: Workflow,
    *,
    name: str,
    config: Mapping[str, Json],
    inputs: Mapping[str, Json],
    condition: str,
) -> CheckedConfig:
    """Check all parts together. Raises InvalidInput with every problem."""
    found = [*_name_problems(name), *config_problems(kind, config), *_input_problems(kind, workflow, inputs)]
    found += condition_problems(condition)
    if found:
        raise InvalidInput.from_problems(found)
    secrets = {key: value for key, value in config.items() if key in kind.secret_keys}
    plain = {key: value for key, value in config.items() if key not in kind.secret_keys}
    return CheckedConfig(dict(kind.complete(plain)), secrets)


def _name_problems(name: str) -> Iterator[Problem]:
    if len(name) > NAME_CHARACTERS:
        yield Problem("too_long", f"The name must have at most {NAME_CHARACTERS} characters, got {len(name)}.", "/name")


def config_problems(kind: TriggerKind, config: Mapping[str, Json]) -> Iterable[Problem]:
    """Everything wrong with a config, with pointers that begin with `/config`."""
    # the kind's own checks rely on the schema
    found = list(problems(_checker(kind.key), config)) or kind.check(config)
    return [Problem(problem.code, problem.message, f"/config{problem.pointer}") for problem in found]


def _input_problems(kind: TriggerKind, workflow: Workflow, inputs: Mapping[str, Json]) -> Iterator[Problem]:
    """Fixed inputs are all that a clock's run gets, so they have to suffice now; others may bring their own."""
    if kind.clock is None or workflow.current_version_id is None:
        return
    try:
        by_version(workflow.current_version_id).checked(dict(inputs))
    except InvalidInput as refusal:
        yield from refusal.problems


@cache
def _checker(key: str) -> Checker:
    return Checker(all_trigger_kinds()[key].config_schema)
