"""Which workflows a document calls, found when it is saved: unknown names and circles are refused.

What a run finds then may be different: workflows are renamed, archived and deleted. `store/callees.py` decides there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from automation.engine.document.parse import parse_document
from automation.engine.wording import did_you_mean
from automation.models import Workflow
from brainops.core.errors import InvalidInput, Problem

MOST_VISITED = 500  # workflows that are looked at for circles; what lies behind them a run finds

Json = Any


@dataclass(frozen=True, slots=True)
class Reference:
    """A place of a document that names another workflow by its id or name. `by` is how messages name the place."""

    named: str
    by: str
    pointer: str


@dataclass(frozen=True, slots=True)
class Caller:
    """The workflow whose document is checked; without id while it is being created."""

    workspace_id: UUID
    name: str
    definition: Mapping[str, Json]
    workflow_id: UUID | None = None


def references(definition: Mapping[str, Json]) -> Iterator[Reference]:
    """Every call of a document, and its failure workflow."""
    document = parse_document(definition)
    for step in document.steps():
        named = step.part("call").get("workflow")
        if isinstance(named, str):
            yield Reference(named, f'step "{step.id}"', step.at("call", "workflow"))
    settings = definition.get("settings")
    handler = settings.get("on_failure") if isinstance(settings, Mapping) else None
    if isinstance(handler, str):
        yield Reference(handler, "settings.on_failure", "/settings/on_failure")


def check(caller: Caller) -> None:
    """Raise InvalidInput when the document names workflows that are not there, or one that leads back to it."""
    found = list(refusals(caller))
    if found:
        raise InvalidInput.from_problems(found)


def refusals(caller: Caller, *, base: str = "/definition") -> Iterator[Problem]:
    """Everything wrong with what a document calls, with pointers that start at `base`."""
    places = list(references(caller.definition))
    if not places:
        return
    search = _Search(caller)
    search.load(places)
    for place in places:
        said = search.refusal(place)
        if said is not None:
            yield Problem(said[0], f"{place.by.replace('step', 'Step', 1)}: {said[1]}", base + place.pointer)


@dataclass(slots=True)
class _Search:
    """Workflows of one workspace, loaded as the search gets to them."""

    caller: Caller
    by_name: dict[str, list[UUID]] = field(default_factory=lambda: defaultdict(list))
    archived: dict[str, list[UUID]] = field(default_factory=lambda: defaultdict(list))
    known: dict[UUID, tuple[str, Mapping[str, Json]]] = field(default_factory=dict)  # name, definition

    def load(self, places: Iterable[Reference]) -> None:
        """Read what these places name; one query."""
        names = {place.named for place in places}
        ids = {found for found in map(_id, names) if found is not None}
        rows = Workflow.objects.filter(workspace_id=self.caller.workspace_id)
        found = rows.filter(name__in=names) | rows.filter(id__in=ids)
        columns = found.order_by("created_at").values_list("id", "name", "definition", "archived_at")
        for workflow_id, name, definition, archived_at in columns:
            if workflow_id not in self.known and workflow_id != self.caller.workflow_id:
                self.known[workflow_id] = (name, definition)
                (self.by_name if archived_at is None else self.archived)[name].append(workflow_id)

    def refusal(self, place: Reference) -> tuple[str, str] | None:
        """Code and sentence of what is wrong with a place; None when nothing is."""
        if self._is_caller(place.named):
            return "call_cycle", f'it calls "{self.caller.name}" itself. Use a loop, or call another workflow.'
        targets = self._targets(place.named)
        if not targets:
            return "unknown_workflow", f"this workspace has no workflow {place.named!r}.{self._meant(place.named)}"
        if len(targets) > 1 or (place.named == self.caller.name and _id(place.named) is None):
            said = f"several workflows are named {place.named!r}. Write the id of one, such as {str(targets[0])!r}."
            return "ambiguous_workflow", said
        way = self._way_back(targets[0])
        if way is None:
            return None
        steps = " → ".join([f'"{self.caller.name}" {place.by}', *way, f'"{self.caller.name}"'])
        return "call_cycle", f"the calls go round in a circle: {steps}. Take one of them out."

    def _way_back(self, start: UUID) -> list[str] | None:
        """How the calls of a workflow lead back to the caller, place by place; None when they do not."""
        ways: list[tuple[UUID, list[str]]] = [(start, [])]
        visited = {start}
        while ways and len(visited) <= MOST_VISITED:
            workflow_id, way = ways.pop(0)
            name, definition = self.known[workflow_id]
            places = list(references(definition))
            self.load([place for place in places if not self._targets(place.named)])
            for place in places:
                here = [*way, f'"{name}" {place.by}']
                if self._is_caller(place.named):
                    return here
                fresh = [target for target in self._targets(place.named) if target not in visited]
                visited.update(fresh)
                ways += [(target, here) for target in fresh]
        return None

    def _is_caller(self, named: str) -> bool:
        if self.caller.workflow_id is not None and _id(named) == self.caller.workflow_id:
            return True
        return named == self.caller.name and not self._targets(named)

    def _targets(self, named: str) -> list[UUID]:
        found = _id(named)
        if found is not None and found in self.known:
            return [found]
        return self.by_name.get(named) or self.archived.get(named, [])[:1]

    def _meant(self, named: str) -> str:
        rows = Workflow.objects.filter(workspace_id=self.caller.workspace_id, archived_at=None)
        return did_you_mean(named, list(rows.order_by("-created_at").values_list("name", flat=True)[:1000]))


def _id(named: str) -> UUID | None:
    try:
        return UUID(named)
    except ValueError:
        return None
