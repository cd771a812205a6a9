"""Which workflows the imported ones call: found in the file or in the workspace, and never in a circle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from automation.models import Workflow
from automation.services import workflow_calls
from automation.services.exchange.survey import Entry, Survey
from brainops.core.errors import Problem

Json = Any

MOST_VISITED = 500  # workflows looked at for a circle; what lies behind them a run finds


class Calls:
    """Resolves the calls of a file's workflows. One for an import: what it has read of the workspace it keeps."""

    def __init__(self, workspace_id: UUID, survey: Survey, mapping: dict[str, str]) -> None:
        self._workspace_id = workspace_id
        self._survey = survey
        self._mapping = mapping
        self._by_target = {entry.target: entry for entry in survey.entries if entry.target is not None}
        self._ids: dict[str, UUID | None] = {}  # stored workflows by what calls name them
        self._stored_calls: dict[UUID, tuple[str, ...]] = {}
        self._names: dict[UUID, str] = {}

    def load(self, entries: Iterable[Entry]) -> None:
        """Look up what these entries call; one query."""
        named = {self._said(entry, call) for entry in entries for call in entry.calls}
        self._look_up({name for name in named if self._in_file(name) is None})

    def new_names(self, entry: Entry) -> dict[str, str]:
        """What the document must say from now on: keys of the file become the ids that they have here."""
        names = {}
        for call in entry.calls:
            said = self._said(entry, call)
            found = self._survey.by_key.get(said)
            final = str(found.id) if found is not None else said
            if final != call:
                names[call] = final
        return names

    def missing(self, entry: Entry) -> list[str]:
        """What it calls and neither the file nor the workspace has, as the file names it."""
        return [call for call in entry.calls if self._target(self._said(entry, call)) is None]

    def circle(self, entry: Entry) -> Problem | None:
        """The refusal of calls that lead back to the workflow itself."""
        if not entry.calls:
            return None
        ways: list[tuple[Entry | UUID, list[str]]] = [(entry, [entry.name])]
        visited: set[Any] = set()
        while ways and len(visited) <= MOST_VISITED:
            node, way = ways.pop(0)
            for target in self._called_by(node):
                if target is entry:
                    steps = " → ".join(repr(name) for name in [*way, entry.name])
                    said = f"The calls go round in a circle: {steps}. Take one of them out."
                    return Problem("call_cycle", said, f"/workflows/{entry.index}/definition")
                mark = target.index if isinstance(target, Entry) else target
                if mark not in visited:
                    visited.add(mark)
                    ways.append((target, [*way, self._name(target)]))
        return None

    def _called_by(self, node: Entry | UUID) -> Iterator[Entry | UUID]:
        if isinstance(node, Entry):
            named = [self._said(node, call) for call in node.calls]
        else:
            named = list(self._calls_of_stored(node))
        self._look_up({name for name in named if self._in_file(name) is None})
        for name in named:
            target = self._target(name)
            if target is not None:
                yield target

    def _target(self, name: str) -> Entry | UUID | None:
        found = self._in_file(name)
        if found is not None:
            return found
        id_ = self._ids.get(name)
        return self._by_target.get(id_, id_) if id_ is not None else None

    def _in_file(self, name: str) -> Entry | None:
        found = self._survey.by_key.get(name) or self._survey.by_name.get(name)
        return None if found is None or (found.conflict and not found.target) else found

    def _said(self, entry: Entry, call: str) -> str:
        """What a call means: what the importer says, else what the file says."""
        if call in self._mapping:
            return self._mapping[call]
        if self._survey.by_key.get(call) is None and call in entry.hints and self._stored_id(call) is None:
            return entry.hints[call]
        return call

    def _stored_id(self, call: str) -> UUID | None:
        self._look_up({call})
        return self._ids.get(call)

    def _look_up(self, names: set[str]) -> None:
        wanted = names - set(self._ids)
        if not wanted:
            return
        self._ids.update(dict.fromkeys(wanted))
        ids = {id_ for id_ in map(_uuid, wanted) if id_ is not None}
        rows = Workflow.objects.filter(workspace_id=self._workspace_id)
        found = rows.filter(name__in=wanted) | rows.filter(id__in=ids) | rows.filter(source_key__in=wanted)
        # a name that several have means the newest one that is not archived, as at a run
        ordered = found.order_by("archived_at", "created_at").values_list("id", "name", "source_key")
        for id_, name, key in ordered:
            self._names[id_] = name
            for known in (key, name, str(id_)):
                if known in wanted:
                    self._ids[known] = id_

    def _calls_of_stored(self, id_: UUID) -> tuple[str, ...]:
        if id_ not in self._stored_calls:
            definition = Workflow.objects.filter(id=id_).values_list("definition", flat=True).first() or {}
            self._stored_calls[id_] = tuple(one.named for one in workflow_calls.references(definition))
        return self._stored_calls[id_]

    def _name(self, node: Entry | UUID) -> str:
        return node.name if isinstance(node, Entry) else self._names.get(node, str(node))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
