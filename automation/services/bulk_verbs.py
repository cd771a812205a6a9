"""What a bulk request can do to a workflow: the values its columns get, or why not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from typing import Any
from uuid import UUID

from automation.models import Workflow
from automation.services.documents import canonical
from automation.services.merge_patch import merge_patch
from automation.services.workflow_drafts import FIELDS
from brainops.accounts.models import Membership
from brainops.accounts.policy import Permission
from brainops.core import clock, json_gate
from brainops.core.errors import InvalidInput, Problem

MOST_TAGS: int = FIELDS["tags"]["maxItems"]
Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Details:
    """What an action needs besides. `meta_data` is a merge patch; `homes` are workspaces the new owner belongs to."""

    tags: tuple[str, ...] = ()
    owner_id: UUID | None = None
    homes: frozenset[UUID] = frozenset()
    meta_data: Mapping[str, Any] | None = None
    note: str = ""
    form: str = "json"  # of an export
    at: datetime = field(default_factory=clock.now)  # one instant for all, so that one statement writes them

    def require_owner_in(self, workspace_id: UUID) -> None:
        """Raise InvalidInput unless the new owner, where one is named, is a member there."""
        if self.owner_id is not None and workspace_id not in self.homes:
            raise _no_member()


def homes_of(user_id: UUID) -> frozenset[UUID]:
    """The workspaces of a user who may log in; none for anybody else."""
    rows = Membership.objects.filter(user_id=user_id, user__is_active=True)
    return frozenset(rows.values_list("workspace_id", flat=True))


class Effect(Enum):
    """What is done with the rows that the judge lets through."""

    SAVE = auto()
    DELETE = auto()
    EXPORT = auto()  # they stay as they are


@dataclass(frozen=True, slots=True)
class Verb:
    """One action. `judge` gives the columns' new values, nothing when it is so already; raises AppError to refuse."""

    permission: Permission
    action: str  # as the audit log says it
    said: str
    judge: Callable[[Workflow, Details], Values]
    effect: Effect = Effect.SAVE


def _activate(row: Workflow, _details: Details) -> Values:
    return {} if row.is_active else {"is_active": True}


def _deactivate(row: Workflow, _details: Details) -> Values:
    return {"is_active": False} if row.is_active else {}


def _archive(row: Workflow, details: Details) -> Values:
    values: dict[str, Any] = {} if row.archived_at else {"archived_at": details.at}
    if details.meta_data is not None:
        merged = merge_patch(row.meta_data, dict(details.meta_data))
        if canonical(merged) != canonical(row.meta_data):
            json_gate.check_size(len(canonical(merged)), json_gate.default_limits().body_bytes)
            values["meta_data"] = merged
    return values


def _unarchive(row: Workflow, _details: Details) -> Values:
    return {"archived_at": None} if row.archived_at else {}


def _tag(row: Workflow, details: Details) -> Values:
    tags = list(dict.fromkeys([*row.tags, *details.tags]))
    if len(tags) > MOST_TAGS:
        raise InvalidInput(f"It would have {len(tags)} tags; {MOST_TAGS} is the most.", code="too_many_tags")
    return {} if tags == row.tags else {"tags": tags}


def _untag(row: Workflow, details: Details) -> Values:
    tags = [tag for tag in row.tags if tag not in details.tags]
    return {} if tags == row.tags else {"tags": tags}


def _assign(row: Workflow, details: Details) -> Values:
    if row.workspace_id not in details.homes:
        raise _no_member()
    return {} if row.owner_id == details.owner_id else {"owner_id": details.owner_id}


def _delete(_row: Workflow, _details: Details) -> Values:
    return {"id": None}


def _export(row: Workflow, _details: Details) -> Values:
    return {"version": row.version}


def _no_member() -> InvalidInput:
    said = "The new owner must be a member of the workflow's workspace who can log in."
    return InvalidInput(said, code="owner_is_no_member", problems=[Problem("owner_is_no_member", said, "/owner")])


VERBS = {
    "activate": Verb(Permission.WORKFLOWS_UPDATE, "workflow.update", "Activated", _activate),
    "deactivate": Verb(Permission.WORKFLOWS_UPDATE, "workflow.update", "Deactivated", _deactivate),
    "archive": Verb(Permission.WORKFLOWS_UPDATE, "workflow.archive", "Archived", _archive),
    "unarchive": Verb(Permission.WORKFLOWS_UPDATE, "workflow.unarchive", "Took out of the archive", _unarchive),
    "tag": Verb(Permission.WORKFLOWS_UPDATE, "workflow.update", "Tagged", _tag),
    "untag": Verb(Permission.WORKFLOWS_UPDATE, "workflow.update", "Took tags off", _untag),
    "assign": Verb(Permission.WORKFLOWS_ASSIGN, "workflow.assign", "Gave to another owner", _assign),
    "delete": Verb(Permission.WORKFLOWS_DELETE, "workflow.delete", "Deleted", _delete, Effect.DELETE),
    "export": Verb(Permission.WORKFLOWS_EXPORT, "workflow.export", "Exported", _export, Effect.EXPORT),
}
