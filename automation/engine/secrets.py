"""Secrets in the engine: they stay sealed in everything that is kept, and open for the length of one call.

A template that reads `secrets` stays as it is written in the prepared `with`: that is what dry runs, messages and rows
may show. `attempt` evaluates it a second time, with the values, for the kind alone, and masks them in all it answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from automation.engine.document.templates import secret_keys
from automation.engine.expressions import Budget, Template, Tree, compile_tree
from automation.engine.kinds import Done, Fail, Kind, LogLine, Outcome, Sleep, StepError, Wait

Json = Any
Mask = Callable[[Json], Json]
ROOT = "secrets"


@dataclass(frozen=True, slots=True)
class Sealed:
    """The whole `with` of a step that reads secrets, and which ones it reads."""

    tree: Tree
    names: tuple[str, ...]

    def open(self, scope: Mapping[str, Json], values: Mapping[str, str]) -> dict[str, Json]:
        """The `with` as the service shall get it. Raises ExpressionError, whose message shows no value."""
        config: dict[str, Json] = self.tree.render({**scope, ROOT: values}, Budget())
        return config


@dataclass(frozen=True, slots=True)
class Opened:
    """Secrets for one call. `mask` takes their values out of any JSON, in whatever form they stand there.

    `hosts` are the host patterns that each of them is bound to, for those that are.
    """

    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    mask: Mask = lambda value: value
    hosts: tuple[frozenset[str], ...] = ()


def keeps_sealed(kind: Kind) -> Callable[[Template, str], bool]:
    """Which strings of a `with` stay as written: those that read secrets where the kind takes them."""
    keys = secret_keys(kind)
    return lambda template, pointer: template.is_secret and pointer.split("/", 2)[1] in keys


def sealed_of(config: Mapping[str, Json], masked: Tree, kind: Kind) -> Sealed | None:
    """What has to be opened for a call; None when the `with` reads no secrets. `masked` is its sealed tree."""
    keys = secret_keys(kind)
    names = {
        str(reference.path[1])
        for reference in masked.references
        if reference.path[0] == ROOT and len(reference.path) > 1 and reference.pointer.split("/", 2)[1] in keys
    }
    return Sealed(compile_tree(dict(config)), tuple(sorted(names))) if names else None


def masked_outcome(outcome: Outcome, mask: Mask) -> Outcome:
    """The outcome without a secret in it."""
    if isinstance(outcome, Sleep):
        return replace(outcome, output=mask(outcome.output))
    logs = tuple(_masked_line(line, mask) for line in outcome.logs)
    if isinstance(outcome, Done):
        said = {name: mask(getattr(outcome, name)) for name in ("output", "reason", "response")}
        return replace(outcome, logs=logs, **said)
    if isinstance(outcome, Wait):
        return replace(outcome, details=mask(dict(outcome.details)), logs=logs)
    return Fail(_masked_error(outcome.error, mask), logs)


def _masked_line(line: LogLine, mask: Mask) -> LogLine:
    return LogLine(line.level, mask(line.message), mask(dict(line.fields)))


def _masked_error(error: StepError, mask: Mask) -> StepError:
    return replace(error, message=mask(error.message), details=mask(dict(error.details)))
