"""Accounts at identity providers: look, and unlink when somebody got a new one there."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from brainops.accounts.models import Identity
from brainops.accounts.services import identities
from brainops.audit.admin.base import ReadOnlyAdmin, actor_of


@admin.register(Identity)
class IdentityAdmin(ReadOnlyAdmin):
    """Who signs in as whom."""

    list_display = ("user", "provider", "subject", "created_at", "used_at")
    list_filter = ("provider",)
    list_select_related = ("user",)
    search_fields = ("user__email", "=subject")
    fields: Any = ("user", "provider", "issuer", "subject", "created_at", "used_at")
    readonly_fields = fields
    actions = ("unlink",)

    @admin.action(description="Unlink the selected accounts", permissions=["unlink"])
    def unlink(self, request: HttpRequest, queryset: QuerySet[Identity]) -> None:
        """Forget accounts; the next one with a user's verified address is linked instead. Their logins end."""
        chosen = list(queryset.select_related("user"))
        for identity in chosen:
            identities.unlink(identity, by=actor_of(request))
        self.message_user(request, f"Unlinked {len(chosen)} accounts.", messages.SUCCESS)

    def has_unlink_permission(self, request: HttpRequest) -> bool:
        """Superusers: a link decides who signs in as whom."""
        return bool(getattr(request.user, "is_superuser", False))
