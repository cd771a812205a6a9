"""Logins of the API: look and end."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from brainops.accounts.models import LoginSession
from brainops.accounts.services import sessions
from brainops.audit.admin.base import ReadOnlyAdmin


@admin.register(LoginSession)
class LoginSessionAdmin(ReadOnlyAdmin):
    """Who is logged in from where."""

    list_display = ("user", "created_at", "refreshed_at", "expires_at", "revoked_at", "revoked_because", "ip")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    list_select_related = ("user",)
    search_fields = ("user__email", "=ip")
    fields = ("user", "created_at", "refreshed_at", "expires_at", "revoked_at", "revoked_because", "ip", "client")
    readonly_fields = fields
    actions = ("end",)

    @admin.action(description="End the selected logins", permissions=["end"])
    def end(self, request: HttpRequest, queryset: QuerySet[LoginSession]) -> None:
        """End logins; all their tokens end at once."""
        ids = list(queryset.values_list("id", flat=True))
        for session_id in ids:
            sessions.end_session(session_id, reason="ended by staff")
        self.message_user(request, f"Ended {len(ids)} logins.", messages.SUCCESS)

    def has_end_permission(self, request: HttpRequest) -> bool:
        """Those who may change logins."""
        return bool(request.user.has_perm("accounts.change_loginsession"))
