"""Workspaces: their names, what they demand, their quotas, who is in them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from unfold.admin import TabularInline

from brainops.accounts import usage
from brainops.accounts.models import Membership, Workspace
from brainops.accounts.services import workspaces
from brainops.audit.admin.base import AuditedAdmin, actor_of
from brainops.core.errors import InvalidInput


class MembershipInline(TabularInline):
    """The members of a workspace, or the workspaces of a user, to look at: each has a page of its own."""

    model = Membership
    fields = ("workspace", "user", "role", "created_at")
    readonly_fields = fields
    show_change_link = True
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Members are added on their own page."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Roles change on the member's page, where the last Owner is protected."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Removing asks what becomes of the person's things."""
        return False


class WorkspaceForm(forms.ModelForm):  # type: ignore[type-arg]  # ModelForm takes no parameters at run time
    """Refuses slugs as the API does."""

    class Meta:
        model = Workspace
        fields = [*workspaces.CHANGEABLE]
        labels = {
            "requires_if_match": "No overwriting unseen",
            "requires_mfa": "Second factor",
            "max_workflows": "Workflows at most",
            "max_active_triggers": "Active triggers at most",
            "max_runs_per_day": "Runs a day at most",
            "max_storage_bytes": "Stored bytes at most",
        }
        help_texts = {"requires_if_match": "Refuse a save that does not name the state it changes (If-Match)."}

    def clean_slug(self) -> str:
        """The slug, if it is one. Raises ValidationError."""
        try:
            return workspaces.checked_slug(self.cleaned_data["slug"])
        except InvalidInput as refusal:
            raise forms.ValidationError(refusal.message) from refusal


@admin.register(Workspace)
class WorkspaceAdmin(AuditedAdmin):
    """Workspaces. An empty quota is the installation's default."""

    form = WorkspaceForm
    list_display = ("name", "slug", "requires_mfa", *workspaces.QUOTAS, "created_at")
    list_filter = ("requires_mfa", "requires_if_match")
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    known_later = ("id", "created_at", "in_use")
    readonly_fields = known_later
    fieldsets = (
        (None, {"fields": ("name", "slug", "id", "created_at")}),
        ("What it demands", {"fields": ("requires_if_match", "requires_mfa")}),
        ("Quotas", {"fields": (*workspaces.QUOTAS, "in_use")}),
    )
    inlines = (MembershipInline,)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """What is known only of a workspace that exists stays off the page that adds one."""
        hidden = () if obj else self.known_later
        return [
            (title, {**options, "fields": [name for name in options["fields"] if name not in hidden]})
            for title, options in super().get_fieldsets(request, obj)
        ]

    @admin.display(description="In use")
    def in_use(self, workspace: Workspace) -> str:
        """What the workspace has of what it may have, counted now."""
        return format_html_join(SafeString("<br>"), "{}", ((str(use),) for use in usage.of_workspace(workspace.pk)))

    def save_model(self, request: HttpRequest, obj: Workspace, form: Any, change: bool) -> None:
        """Write by the service, which audits old and new values."""
        if not change:
            super().save_model(request, obj, form, change)
            return
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        workspaces.write(obj.pk, changes, by=actor_of(request))

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """The service has recorded it already."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Too much goes with a workspace for a button here: its Owner deletes it, or `manage.py delete_workspace`."""
        return False
