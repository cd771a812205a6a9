"""Plans by version, built once per process: versions never change, so a cached plan is never stale."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from automation.engine.plan import Plan, build_plan
from automation.steps import all_kinds
from automation.store.claim import Claimed
from automation.store.connection import Connection
from automation.store.load import load_versions
from automation.store.run_vars import take_vars

MOST_PLANS = 500


@dataclass(frozen=True, slots=True)
class Loaded:
    """A version ready to run."""

    number: str
    workflow_name: str
    plan: Plan


@dataclass(frozen=True, slots=True)
class Unplannable:
    """A version that this release cannot plan, and why."""

    number: str
    refusal: str


class Plans:
    """An LRU of loaded versions. Used by one thread (the claimer)."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._loaded: OrderedDict[UUID, Loaded | Unplannable] = OrderedDict()

    def get(self, version_ids: Iterable[UUID]) -> dict[UUID, Loaded | Unplannable]:
        """The loaded versions of `version_ids`; the unknown ones are read in one query."""
        wanted = set(version_ids)
        missing = wanted - self._loaded.keys()
        if missing:
            self._load(missing)
        for version_id in wanted:
            self._loaded.move_to_end(version_id)
        found = {version_id: self._loaded[version_id] for version_id in wanted}
        while len(self._loaded) > MOST_PLANS:
            self._loaded.popitem(last=False)
        return found

    def _load(self, version_ids: set[UUID]) -> None:
        for version_id, definition, number, name in load_versions(self._connection, list(version_ids)):
            self._loaded[version_id] = _planned(definition, number, name)


def variables_of(
    connection: Connection, runs: Iterable[tuple[Claimed, Loaded | Unplannable]]
) -> dict[int, dict[str, Any]]:
    """The variables of the runs whose workflows read some; no query when none does."""
    readers = {
        run.id: (run.workspace_id, version.plan.vars)
        for run, version in runs
        if isinstance(version, Loaded) and version.plan.vars
    }
    return take_vars(connection, readers)


def _planned(definition: Any, number: str, name: str) -> Loaded | Unplannable:
    try:
        return Loaded(number, name, build_plan(definition, all_kinds()))
    except Exception as error:  # noqa: BLE001 - a stored version that does not plan fails its own runs only
        return Unplannable(number, f"{type(error).__name__}: {error}")
