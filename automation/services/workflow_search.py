"""Find workflows: the filters and orders a caller may ask for, each from a literal list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from automation.models import Trigger, Workflow
from automation.services.workflow_words import matching, using
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
BEST_FIRST = ("-rank", "-id")  # of a search

# One word for what the two columns say together.
STATUSES: Mapping[str, Q] = MappingProxyType(
    {
        "active": Q(is_active=True, archived_at__isnull=True),
        "inactive": Q(is_active=False, archived_at__isnull=True),
        "archived": Q(archived_at__isnull=False),
    }
)


def find(
    caller: Caller,
    *,
    search: str = "",
    tag: Sequence[str] = (),
    any_tag: Sequence[str] = (),
    status: Sequence[str] = (),
    uses: Sequence[str] = (),
    trigger_kind: Sequence[str] = (),
    is_archived: bool | None = None,
    **exact: Any,
) -> QuerySet[Workflow]:
    """The workflows of the caller's workspace that fit all that was asked; `exact` are those of `_exact`.

    A workflow has all of `tag`, one of `any_tag`, of `status`, of the kinds it `uses` and of its triggers'.
    """
    rows = visible_workflows(caller).filter(**_exact(**exact))
    if search.strip():
        rows = matching(rows, search)
    if tag:
        rows = rows.filter(tags__contains=list(tag))
    if any_tag:
        rows = rows.filter(tags__has_any_keys=list(any_tag))
    if uses:
        rows = using(rows, list(uses))
    if trigger_kind:
        rows = rows.filter(Exists(Trigger.objects.filter(workflow=OuterRef("pk"), kind__in=trigger_kind)))
    if is_archived is not None:
        rows = rows.filter(archived_at__isnull=not is_archived)
    return rows.filter(_any_of(status))


def _exact(
    *,
    is_active: bool | None = None,
    owner: UUID | None = None,
    created_since: datetime | None = None,
    created_until: datetime | None = None,
    updated_since: datetime | None = None,
    updated_until: datetime | None = None,
) -> dict[str, Any]:
    """Lookups of what was asked; `until` is exclusive."""
    lookups = {
        "is_active": is_active,
        "owner_id": owner,
        "created_at__gte": created_since,
        "created_at__lt": created_until,
        "updated_at__gte": updated_since,
        "updated_at__lt": updated_until,
    }
    return {lookup: value for lookup, value in lookups.items() if value is not None}


def _any_of(statuses: Sequence[str]) -> Q:
    found = Q()
    for word in statuses:
        found |= STATUSES[word]
    return found
