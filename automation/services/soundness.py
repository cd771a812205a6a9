"""Soundness: do the stored versions that are in use still run in this release?

A version never changes and a release does not change while it runs, so each version is looked at once per process.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from django.db import connection

from automation.engine.plan import build_plan
from automation.engine.wording import counted
from automation.services import documents
from automation.steps import all_kinds
from automation.store.in_use import InUse, definitions, versions_in_use
from brainops.core.errors import Problem
from brainops.core.health import Component

PORTION = 100  # versions read at once
MOST_REMEMBERED = 20_000
MOST_NAMED = 5

_known: OrderedDict[UUID, tuple[Problem, ...]] = OrderedDict()


@dataclass(frozen=True, slots=True)
class Unsound:
    """A version in use that this release does not take, and everything that is wrong with it."""

    version: InUse
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found. `checked` counts versions."""

    checked: int
    unsound: tuple[Unsound, ...]

    @property
    def stuck_runs(self) -> int:
        """Unfinished runs that will fail when a worker takes them up."""
        return sum(one.version.runs for one in self.unsound)


def survey(*, with_inactive: bool = False) -> Survey:
    """Check every version that is current or that unfinished runs are pinned to."""
    with connection.cursor() as cursor:
        versions = versions_in_use(cursor, with_inactive=with_inactive)
        unknown = [version.id for version in versions if version.id not in _known]
        for start in range(0, len(unknown), PORTION):
            _learn(cursor, unknown[start : start + PORTION])
    unsound = tuple(Unsound(version, _known.get(version.id, ())) for version in versions if _known.get(version.id))
    return Survey(len(versions), unsound)


def component() -> Component:
    """Every workflow in use plans in this release."""
    found = survey()
    if not found.unsound:
        return Component("workflows", is_up=True, note=f"{counted(found.checked, 'version')} in use")
    return Component(
        "workflows", is_up=False, note=f"{_named(found.unsound)}. `manage.py validate_workflows` says why."
    )


def forget_all() -> None:
    """Look at everything anew (for tests, where kinds come and go)."""
    _known.clear()


def _learn(cursor: Any, version_ids: list[UUID]) -> None:
    for version_id, definition in definitions(cursor, version_ids).items():
        _known[version_id] = _problems(orjson.loads(definition) if isinstance(definition, str) else definition)
    while len(_known) > MOST_REMEMBERED:
        _known.popitem(last=False)


def _problems(definition: Any) -> tuple[Problem, ...]:
    """What a worker would say; in the words of the checks at saving, where these find it too."""
    try:
        build_plan(definition, all_kinds())
    except Exception as error:  # noqa: BLE001 - whatever it is, runs of it would fail with it
        said = Problem("unplannable", f"{type(error).__name__}: {error}", "/definition")
        return tuple(documents.refusals(definition)) or (said,)
    return ()


def _named(unsound: Sequence[Unsound]) -> str:
    names = [f"{one.version.workspace_slug}: {one.version.workflow_name} {one.version.number}" for one in unsound]
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"{', '.join(names[:MOST_NAMED])}{more} cannot run in this release"
