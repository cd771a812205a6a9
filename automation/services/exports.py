"""Exports: workflows as a file, at once for small sets, by a worker for large ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from automation.models import Direction, Transfer, Workflow
from automation.services import transfers
from automation.services.exchange.assembling import whole
from automation.services.exchange.form import FORMS
from automation.services.exchange.rows import Shape
from automation.services.workflow_search import find
from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission
from brainops.accounts.scoping import scoped
from brainops.audit.services import record
from brainops.core.errors import InvalidInput, PermissionDenied, Problem

Json = Any

MOST_NAMED = 1000  # workflows that an audit entry names


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to export. `ids` None and an empty filter: everything the caller may export."""

    ids: Sequence[UUID] | None = None
    filter: Mapping[str, Json] = field(default_factory=dict)
    format: str = "json"
    with_history: bool = True
    with_triggers: bool = True

    @property
    def shape(self) -> Shape:
        """What of each workflow goes into the file."""
        return Shape(self.with_history, self.with_triggers)

    def as_json(self) -> dict[str, Json]:
        """What a transfer keeps of it."""
        ids = None if self.ids is None else [str(id_) for id_ in self.ids]
        filter_ = {name: _plain(value) for name, value in self.filter.items()}
        return {"ids": ids, "filter": filter_, "history": self.with_history, "triggers": self.with_triggers}

    @classmethod
    def read(cls, kept: Mapping[str, Json], key: str) -> Wanted:
        """The wish that `as_json` wrote down."""
        ids = None if kept["ids"] is None else [UUID(id_) for id_ in kept["ids"]]
        return cls(ids, kept["filter"], key, kept["history"], kept["triggers"])


@dataclass(frozen=True, slots=True)
class Stream:
    """A file on its way out. `pieces` may be read once."""

    pieces: Iterator[bytes]
    media_type: str
    filename: str
    workflows: int


def stream(caller: Caller, workflow_ids: Sequence[UUID], *, format: str = "json") -> Iterator[bytes]:
    """The file of these workflows with their history and triggers, piece by piece.

    Raises InvalidInput for ids that are not there, PermissionDenied for those that the caller may not export.
    """
    return export(caller, Wanted(ids=workflow_ids, format=format)).pieces


def export(caller: Caller, wanted: Wanted) -> Stream:
    """The file, read from the database while it is taken. Raises InvalidInput, PermissionDenied."""
    rows = select(caller, wanted)
    count = rows.count()
    with transaction.atomic():
        _audit(caller, wanted, count)
    form = FORMS[wanted.format]
    return Stream(whole(form.key, rows, wanted.shape), form.media_type, f"workflows.{form.suffix}", count)


def is_large(caller: Caller, wanted: Wanted) -> bool:
    """True when a worker should write the file: nobody waits for so many."""
    return select(caller, wanted).count() > settings.BRAINOPS_LIMITS["export_now"]


def start(caller: Caller, wanted: Wanted) -> Transfer:
    """Have a worker write the file. Raises as `export` does, Conflict when too many are under way."""
    count = select(caller, wanted).count()
    with transaction.atomic():
        transfer = transfers.create(caller, Direction.EXPORT, wanted.format, wanted.as_json(), total=count)
        _audit(caller, wanted, count, transfer)
    return transfer


def select(caller: Caller, wanted: Wanted, *, is_strict: bool = True) -> QuerySet[Workflow]:
    """The workflows to export. Raises InvalidInput for unknown ids, PermissionDenied for ids of others' workflows.

    Not strict: those that were deleted since, or may no longer be exported, are left out.
    """
    if wanted.ids is not None and is_strict:
        return _named(caller, wanted.ids)
    rows = find(caller, **wanted.filter) if wanted.filter else scoped(Workflow.objects.all(), caller)
    if wanted.ids is not None:
        rows = rows.filter(id__in=set(wanted.ids))
    if caller.may(Permission.WORKFLOWS_EXPORT):
        return rows
    if not caller.may(Permission.WORKFLOWS_EXPORT, created_by=caller.user_id):
        caller.require(Permission.WORKFLOWS_EXPORT)
    return rows.filter(owner_id=caller.user_id)  # who made a workflow keeps a builder's verbs on it


def _named(caller: Caller, ids: Sequence[UUID]) -> QuerySet[Workflow]:
    rows = scoped(Workflow.objects.filter(id__in=set(ids)), caller)
    owners = dict(rows.values_list("id", "owner_id"))
    missing = [
        Problem("not_found", f"There is no workflow {str(id_)!r} in this workspace.", f"/ids/{index}")
        for index, id_ in enumerate(ids)
        if id_ not in owners
    ]
    if missing:
        raise InvalidInput.from_problems(missing)
    denied = [id_ for id_, owner in owners.items() if not caller.may(Permission.WORKFLOWS_EXPORT, created_by=owner)]
    if denied:
        said = f"You may not export {len(denied)} of these workflows, such as {str(denied[0])!r}."
        raise PermissionDenied(said, details={"permission": Permission.WORKFLOWS_EXPORT.value})
    return rows


def _plain(value: Json) -> Json:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def _audit(caller: Caller, wanted: Wanted, count: int, transfer: Transfer | None = None) -> None:
    """One entry for each export: it says which workflows, up to a thousand by their ids."""
    what = "1 workflow" if count == 1 else f"{count:,} workflows"
    named = None if wanted.ids is None else [str(id_) for id_ in wanted.ids[:MOST_NAMED]]
    said = {"format": wanted.format, "workflows": count, "ids": named, "filter": wanted.as_json()["filter"]}
    record(
        actor=caller,
        workspace_id=caller.workspace(),
        action="workflow.export",
        target_kind="export",
        target_id=transfer.id if transfer else "at once",
        summary=f"Exported {what} as {wanted.format}.",
        changes={name: [None, value] for name, value in said.items() if value},
    )
