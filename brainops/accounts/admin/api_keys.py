"""API keys: look, rotate and revoke. They are made through the API or by `manage.py create_api_key`."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from brainops.accounts.models import ApiKey
from brainops.accounts.services import api_key_changes, api_keys
from brainops.audit.admin.base import ReadOnlyAdmin, actor_of
from brainops.core.errors import AppError

_OVERLAP_SECONDS = 24 * 3600


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """Keys of all workspaces. The key itself is stored nowhere."""

    list_display = ("name", "begins_with", "workspace", "user", "role", "state", "last_used_at", "expires_at")
    list_filter = ("role", ("revoked_at", admin.EmptyFieldListFilter))
    list_select_related = ("workspace", "user")
    search_fields = ("name", "=prefix", "user__email", "workspace__slug")
    fields = (
        *("name", "begins_with", "workspace", "user", "role", "scopes", "networks", "state", "replaced_by"),
        *("created_at", "created_by", "expires_at", "revoked_at", "last_used_at"),
    )
    readonly_fields = fields
    actions = ("rotate", "revoke")

    @display(description="Key")
    def begins_with(self, key: ApiKey) -> str:
        """Enough to recognise it."""
        return f"{api_keys.MARK}{key.prefix}_…"

    @display(description="State", label={"active": "success", "expired": "warning", "revoked": "danger"})
    def state(self, key: ApiKey) -> str:
        """One word."""
        return api_key_changes.state_of(key)

    @admin.action(description="Rotate the selected keys of mine, with a day to change over", permissions=["revoke"])
    def rotate(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        """Make new keys in place of one's own; nobody sees a secret that acts as somebody else."""
        for key in queryset.select_related("user", "workspace"):
            if key.user_id != request.user.pk:
                messages.error(request, f"{key} acts as {key.user.email}, so only they rotate it. You may revoke it.")
                continue
            try:
                new = api_key_changes.rotate_row(key.pk, overlap_seconds=_OVERLAP_SECONDS, by=actor_of(request))
            except AppError as refusal:
                messages.error(request, f"{key}: {refusal.message}")
                continue
            messages.warning(request, f"The new key of {key.name}, shown this once: {new.text}")

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
