"""What an import is asked to do, and what it will do with one workflow: plain values that planning fills in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from automation.engine.renaming import Renaming
from automation.models import Trigger, Workflow
from automation.services.exchange.survey import Entry
from brainops.core.errors import InvalidInput, Problem

Json = Any


class Strategy(StrEnum):
    """What becomes of a workflow that is here already."""

    MERGE = "merge"  # the imported content comes as a new version on top; tags and meta_data are united
    OVERWRITE = "overwrite"  # the imported content takes the place of all that is there; the history stays
    SKIP = "skip"  # it stays as it is


class Action(StrEnum):
    """What an import does with one workflow."""

    CREATE = "create"
    UPDATE = "update"
    SKIP = "skip"
    UNCHANGED = "unchanged"
    CONFLICT = "conflict"
    REFUSED = "refused"

    @property
    def is_bad(self) -> bool:
        """True when something has to be repaired first."""
        return self in (Action.CONFLICT, Action.REFUSED)


MAPPED = ("connections", "variables", "secrets", "workflows")


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked. `mapping` gives names here for names in the file."""

    strategy: Strategy = Strategy.MERGE
    dry_run: bool = False
    all_or_nothing: bool = False
    activate: bool = False
    with_history: bool = True
    with_triggers: bool = True
    mapping: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def renaming(self) -> Renaming:
        """The mapping of everything but workflows, which only the whole file can tell."""
        said = self.mapping
        return Renaming(
            vars=said.get("variables", {}), secrets=said.get("secrets", {}), connections=said.get("connections", {})
        )

    def as_json(self) -> dict[str, Json]:
        """What a transfer keeps of it."""
        return {
            "strategy": self.strategy.value,
            "dry_run": self.dry_run,
            "all_or_nothing": self.all_or_nothing,
            "activate": self.activate,
            "history": self.with_history,
            "triggers": self.with_triggers,
            "mapping": self.mapping,
        }

    @classmethod
    def read(cls, kept: Mapping[str, Json]) -> Options:
        """The options that `as_json` wrote down."""
        return cls(
            Strategy(kept["strategy"]),
            kept["dry_run"],
            kept["all_or_nothing"],
            kept["activate"],
            kept["history"],
            kept["triggers"],
            kept["mapping"],
        )


def read_mapping(value: Json) -> dict[str, dict[str, str]]:
    """A mapping as callers write it: `{"secrets": {"old": "new"}}`. Raises InvalidInput with everything wrong."""
    if not isinstance(value, dict):
        raise _wrong(f'mapping must be an object such as {{"secrets": {{"old": "new"}}}}, got {value!r}.')
    for sort, names in value.items():
        if sort not in MAPPED:
            raise _wrong(f"mapping has no {sort[:40]!r}. Known: {', '.join(MAPPED)}.")
        is_texts = isinstance(names, dict) and all(
            isinstance(new, str) and 0 < len(new) <= 200 for new in names.values()
        )
        if not is_texts:
            raise _wrong(f"mapping.{sort} must give a new name for each old one.")
    return value


def _wrong(message: str) -> InvalidInput:
    return InvalidInput(message, problems=[Problem("invalid_parameter", message, parameter="mapping")])


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A version to write."""

    number: str
    content: Mapping[str, Json]
    checksum: str
    note: str = ""
    imported_from: Mapping[str, Json] | None = None


@dataclass(frozen=True, slots=True)
class NewTrigger:
    """A trigger to write: a checked config with its defaults."""

    kind: str
    name: str
    config: Mapping[str, Json]
    inputs: Mapping[str, Json]
    is_active: bool
    condition: str = ""


@dataclass(slots=True)
class Stored:
    """What is here already: the row, its versions as (number, checksum) from old to new, its triggers."""

    row: Workflow
    versions: list[tuple[str, str]]
    ordinal: int
    triggers: list[Trigger]


@dataclass(slots=True)
class Plan:
    """What is done with one workflow of the file. `values` are the row's columns."""

    entry: Entry
    action: Action
    reasons: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)
    missing: dict[str, list[str]] = field(default_factory=dict)
    values: dict[str, Json] = field(default_factory=dict)
    versions: list[NewVersion] = field(default_factory=list)
    triggers: list[NewTrigger] = field(default_factory=list)
    gone: list[Trigger] = field(default_factory=list)
    stored: Stored | None = None
    may_have_triggers: bool = True  # the caller may make some
    shown_once: list[dict[str, Json]] = field(default_factory=list)  # new webhooks with their secrets

    @property
    def workflow_id(self) -> UUID | None:
        """The workflow here; None when there is none."""
        if self.action is Action.CREATE:
            return self.entry.new_id
        return self.entry.target

    def report(self) -> dict[str, Json]:
        """What people are told, without secrets."""
        version = self.versions[-1].number if self.versions else (self.stored.row.version if self.stored else None)
        told: dict[str, Json] = {
            "index": self.entry.index,
            "key": self.entry.key,
            "name": self.entry.name,
            "action": self.action.value,
            "workflow_id": str(self.workflow_id) if self.workflow_id else None,
            "version": version,
            "versions_added": len(self.versions),
            "triggers_added": len(self.triggers),
            "triggers_removed": len(self.gone),
            "reasons": [_told(problem) for problem in self.reasons],
            "notes": [_told(problem) for problem in self.notes],
            "missing": self.missing,
        }
        return told


def _told(problem: Problem) -> dict[str, str]:
    return {"code": problem.code, "message": problem.message, "pointer": problem.pointer}
