"""Workflows as a file shows them, read portion by portion: memory does not grow with their number or their history."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from automation.engine.mentions import mentions
from automation.models import Trigger, Workflow, WorkflowVersion
from automation.steps import all_kinds
from automation.triggers import all_trigger_kinds
from brainops.accounts.models import User

Json = Any

PORTION = 100  # workflows read at once
VERSIONS_AT_ONCE = 100
ORDER = ("created_at", "id")


@dataclass(frozen=True, slots=True)
class Shape:
    """What of each workflow goes into the file."""

    with_history: bool = True
    with_triggers: bool = True


@dataclass(frozen=True, slots=True)
class Place:
    """Where the reading goes on: after this workflow."""

    created_at: datetime
    id: UUID


@dataclass(frozen=True, slots=True)
class Exported:
    """One workflow: everything but its history, and its earlier versions, to be read once and at once."""

    place: Place
    head: dict[str, Json]
    history: Iterator[dict[str, Json]]


def portion(rows: QuerySet[Workflow], shape: Shape, *, after: Place | None = None) -> Iterator[Exported]:
    """The next workflows of a queryset, in the order of their making; at most PORTION."""
    if after is not None:
        # the first condition is what the index can go to; the second drops the rest of one instant
        rows = rows.filter(created_at__gte=after.created_at)
        rows = rows.filter(Q(created_at__gt=after.created_at) | Q(id__gt=after.id))
    found = list(rows.order_by(*ORDER)[:PORTION])
    triggers = _triggers(found) if shape.with_triggers else {}
    facts = _current_facts(found)
    names = _named(found)
    histories = _histories(found) if shape.with_history else iter(())
    ready = next(histories, None)
    for row in found:
        history: Iterator[WorkflowVersion] = iter(())
        if ready is not None and ready[0] == row.id:
            history = ready[1]
        yield Exported(Place(row.created_at, row.id), _head(row, facts, names, triggers.get(row.id)), _shown(history))
        if ready is not None and ready[0] == row.id:
            ready = next(histories, None)


def _head(
    row: Workflow,
    facts: Mapping[UUID | None, WorkflowVersion],
    names: Mapping[str, str],
    triggers: Sequence[Trigger] | None,
) -> dict[str, Json]:
    current = facts.get(row.current_version_id)
    head: dict[str, Json] = {
        "key": row.source_key or str(row.id),
        "name": row.name,
        "description": row.description,
        "tags": row.tags,
        "meta_data": row.meta_data,
        "version": row.version,
        **(_facts(current) if current else {}),
        "is_active": row.is_active,
        "is_archived": row.archived_at is not None,
        "retention": row.retention,
        "definition": row.definition,
        "references": references(row.definition, names),
    }
    return head if triggers is None else {**head, "triggers": [_trigger(trigger) for trigger in triggers]}


def references(definition: Mapping[str, Json], names: Mapping[str, str]) -> dict[str, Json]:
    """What a document needs by name. `names` are those of workflows by id, for calls that give an id."""
    named = mentions(definition, all_kinds())
    calls = [
        {"named": call, "name": names[call]} if call in names else {"named": call} for call in named.names("calls")
    ]
    found = {
        "connections": list(named.names("connections")),
        "variables": list(named.names("vars")),
        "secrets": list(named.names("secrets")),
        "workflows": calls,
    }
    return {sort: listed for sort, listed in found.items() if listed}


def _facts(version: WorkflowVersion) -> dict[str, Json]:
    """Who made a version and when: of an imported one what its own file said."""
    told = version.imported_from or {}
    author = _label(version.author) if version.imported_from is None else told.get("author")
    return {
        "note": version.note,
        "author": author,
        "created_at": told.get("created_at") or version.created_at.isoformat(),
        "definition_checksum": version.checksum,
    }


def _label(author: User | None) -> str | None:
    return author.get_full_name() if author else None


def _shown(history: Iterator[WorkflowVersion]) -> Iterator[dict[str, Json]]:
    for version in history:
        yield {
            "number": version.number,
            "name": version.name,
            "description": version.description,
            "tags": version.tags,
            "meta_data": version.meta_data,
            **_facts(version),
            "definition": version.definition,
        }


def _trigger(trigger: Trigger) -> dict[str, Json]:
    kind = all_trigger_kinds().get(trigger.kind)
    hidden = kind.secret_keys if kind else frozenset()  # they never stand in the row; this is the second lock
    return {
        "kind": trigger.kind,
        "name": trigger.name,
        "config": {key: value for key, value in trigger.config.items() if key not in hidden},
        "inputs": trigger.inputs,
        "condition": trigger.condition,
        "is_active": trigger.is_active,
    }


def _histories(found: Sequence[Workflow]) -> Iterator[tuple[UUID, Iterator[WorkflowVersion]]]:
    """The earlier versions of these workflows, in their order, through a cursor of the server."""
    rows = (
        WorkflowVersion.objects.filter(workflow_id__in=[row.id for row in found])
        .exclude(id__in=[row.current_version_id for row in found if row.current_version_id])
        .select_related("author")
        .order_by("workflow__created_at", "workflow_id", "ordinal")
    )
    return groupby(rows.iterator(chunk_size=VERSIONS_AT_ONCE), key=lambda version: version.workflow_id)


def _current_facts(found: Sequence[Workflow]) -> dict[UUID | None, WorkflowVersion]:
    ids = [row.current_version_id for row in found if row.current_version_id]
    rows = WorkflowVersion.objects.filter(id__in=ids).select_related("author").defer("definition", "meta_data")
    return {version.id: version for version in rows}


def _triggers(found: Sequence[Workflow]) -> dict[UUID, list[Trigger]]:
    by_workflow: dict[UUID, list[Trigger]] = {row.id: [] for row in found}
    for trigger in Trigger.objects.filter(workflow_id__in=list(by_workflow)).order_by("created_at", "id"):
        by_workflow[trigger.workflow_id].append(trigger)
    return by_workflow


def _named(found: Sequence[Workflow]) -> dict[str, str]:
    """The names of the workflows that these ones call by id: in the same workspace, else they stay unknown."""
    wanted: dict[UUID, set[UUID]] = {}
    for row in found:
        for named in mentions(row.definition, all_kinds()).names("calls"):
            try:
                wanted.setdefault(row.workspace_id, set()).add(UUID(named))
            except ValueError:
                continue
    names: dict[str, str] = {}
    for workspace_id, ids in wanted.items():
        rows = Workflow.objects.filter(workspace_id=workspace_id, id__in=ids).values_list("id", "name")
        names.update({str(id_): name for id_, name in rows})
    return names
