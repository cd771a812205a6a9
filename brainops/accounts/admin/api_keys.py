"""API keys: look and revoke. They are made through the API or by `manage.py create_api_key`, where the key is shown."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from brainops.accounts.models import ApiKey
from brainops.accounts.services import api_keys
from brainops.audit.admin.base import ReadOnlyAdmin, actor_of
from brainops.core import clock


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """Keys of all workspaces. The key itself is stored nowhere."""

    list_display = ("name", "begins_with", "workspace", "user", "role", "state", "last_used_at", "expires_at")
    list_filter = ("role", ("revoked_at", admin.EmptyFieldListFilter))
    list_select_related = ("workspace", "user")
    search_fields = ("name", "=prefix", "user__email", "workspace__slug")
    fields = (
        *("name", "begins_with", "workspace", "user", "role", "scopes", "state"),
        *("created_at", "created_by", "expires_at", "revoked_at", "last_used_at"),
    )
    readonly_fields = fields
    actions = ("revoke",)

    @display(description="Key")
    def begins_with(self, key: ApiKey) -> str:
        """Enough to recognise it."""
        return f"{api_keys.MARK}{key.prefix}_…"

    @display(description="State", label={"good": "success", "expired": "warning", "revoked": "danger"})
    def state(self, key: ApiKey) -> str:
        """One word."""
        if key.revoked_at:
            return "revoked"
        return "expired" if key.expires_at and key.expires_at <= clock.now() else "good"

    @admin.action(description="Revoke the selected keys", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        """End keys; they are refused from the next request on."""
        chosen = list(queryset.filter(revoked_at=None))
        for key in chosen:
            api_keys.revoke_row(key, by=actor_of(request))
        self.message_user(request, f"Revoked {len(chosen)} keys.", messages.SUCCESS)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Those who may change keys."""
        return bool(request.user.has_perm("accounts.change_apikey"))
