"""Find entries of the log: the filters one may ask for, from a literal list."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from brainops.audit.models import AuditEntry

# Parameters that compare one column; `until` is exclusive.
EXACT = {
    "workspace": "workspace_id",
    "actor_id": "actor_id",
    "actor_kind": "actor_kind",
    "target_kind": "target_kind",
    "target_id": "target_id",
    "request_id": "request_id",
    "ip": "ip",
    "since": "at__gte",
    "until": "at__lt",
}


def find(*, action: str = "", actor: str = "", **exact: UUID | str | datetime) -> QuerySet[AuditEntry]:
    """The entries that fit all that was asked, of all workspaces unless `workspace` says which.

    `action` is one (`workflow.update`) or all of a noun (`workflow.*`); `actor` the beginning of the actor's label.
    """
    rows = AuditEntry.objects.filter(_action(action)).filter(**{EXACT[name]: value for name, value in exact.items()})
    return rows.filter(actor_label__istartswith=actor) if actor else rows


def _action(wanted: str) -> Q:
    noun, _, verb = wanted.partition(".")
    if verb == "*":
        return Q(action__gte=f"{noun}.", action__lt=f"{noun}/")  # "/" comes right after "."
    return Q(action=wanted) if wanted else Q()


def as_json(entry: AuditEntry) -> dict[str, Any]:
    """An entry as the API and the export show it."""
    return {
        "id": entry.uid,
        "at": entry.at,
        "workspace_id": entry.workspace_id,
        "actor_kind": entry.actor_kind,
        "actor_id": entry.actor_id,
        "actor": entry.actor_label,
        "ip": entry.ip,
        "request_id": entry.request_id,
        "action": entry.action,
        "target_kind": entry.target_kind,
        "target_id": entry.target_id,
        "summary": entry.summary,
        "changes": entry.changes,
    }
