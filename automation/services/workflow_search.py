"""Find workflows: the filters and orders a caller may ask for, each from a literal list."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from automation.models import Workflow
from automation.services.workflows import visible_workflows
from brainops.accounts.caller import Caller

ORDERS = {
    "-created_at": ("-created_at", "-id"),
    "created_at": ("created_at", "id"),
    "-updated_at": ("-updated_at", "-id"),
    "updated_at": ("updated_at", "id"),
    "name": ("name", "id"),
    "-name": ("-name", "-id"),
}


def find(
    caller: Caller,
    *,
    search: str = "",
    tag: Sequence[str] = (),
    is_active: bool | None = None,
    is_archived: bool | None = None,
    owner: UUID | None = None,
    created_since: datetime | None = None,
    created_until: datetime | None = None,
    updated_since: datetime | None = None,
    updated_until: datetime | None = None,
) -> QuerySet[Workflow]:
    """The workflows of the caller's workspace that fit all that was asked; `until` is exclusive."""
    rows = visible_workflows(caller)
    if search:
        rows = rows.filter(Q(name__icontains=search) | Q(description__icontains=search) | Q(tags__contains=[search]))
    if tag:
        rows = rows.filter(tags__contains=list(tag))
    if is_archived is not None:
        rows = rows.filter(archived_at__isnull=not is_archived)
    exact = {
        "is_active": is_active,
        "owner_id": owner,
        "created_at__gte": created_since,
        "created_at__lt": created_until,
        "updated_at__gte": updated_since,
        "updated_at__lt": updated_until,
    }
    return rows.filter(**{lookup: value for lookup, value in exact.items() if value is not None})
