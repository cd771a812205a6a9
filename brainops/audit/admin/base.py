"""Base classes of admin pages: every write is audited, and what must not be edited cannot be."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from brainops.audit.actor import Actor
from brainops.audit.services import record


def actor_of(request: HttpRequest) -> Actor:
    """The member of staff behind an admin request."""
    user: Any = request.user
    return Actor("user", user.pk, user.email)


class AuditedAdmin(ModelAdmin):
    """A model's pages. What is added, changed or deleted here goes to the audit log, in the same transaction.

    Django's own log table stays empty: it has no address, no workspace, and anybody can edit it.
    """

    compressed_fields = True
    warn_unsaved_form = True
    list_per_page = 50
    show_full_result_count = False  # a second COUNT over the whole table

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """Record a new row."""
        self._record(request, obj, "create", "Made")

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """Record a changed row, with the names of the changed fields."""
        fields = [name for part in message if isinstance(part, dict) for name in _changed(part)]
        self._record(request, obj, "update", "Changed", changes={"fields": fields} if fields else None)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """Record deleted rows."""
        for obj in queryset:
            self._record(request, obj, "delete", "Deleted")

    def _record(
        self, request: HttpRequest, obj: Model, verb: str, word: str, changes: dict[str, Any] | None = None
    ) -> None:
        noun = obj._meta.model_name or ""
        record(
            actor=actor_of(request),
            workspace_id=_workspace_of(obj),
            action=f"{noun}.{verb}",
            target_kind=noun,
            target_id=str(obj.pk),
            summary=f"{word} the {obj._meta.verbose_name} {obj} in the admin.",
            changes=changes,
            request=request,
        )


class ReadOnlyAdmin(AuditedAdmin):
    """Pages to look at: no add, no change, no delete."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody adds."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes."""
        return False


def _changed(part: dict[str, Any]) -> list[str]:
    changed: list[str] = part.get("changed", {}).get("fields", [])
    return changed


def _workspace_of(obj: Model) -> UUID | None:
    workspace_id: UUID | None = getattr(obj, "workspace_id", None)
    return obj.pk if obj._meta.label == "accounts.Workspace" else workspace_id
