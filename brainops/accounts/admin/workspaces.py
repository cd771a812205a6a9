"""Workspaces and who is in them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from unfold.admin import TabularInline

from brainops.accounts import usage
from brainops.accounts.models import Membership, Workspace
from brainops.audit.admin.base import AuditedAdmin


class MembershipInline(TabularInline):
    """The members of a workspace, or the workspaces of a user."""

    model = Membership
    fields = ("workspace", "user", "role")
    autocomplete_fields = ("workspace", "user")
    extra = 0


@admin.register(Workspace)
class WorkspaceAdmin(AuditedAdmin):
    """Workspaces."""

    list_display = ("name", "slug", "created_at")
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    readonly_fields = ("id", "created_at", "in_use")
    inlines = (MembershipInline,)

    @admin.display(description="In use")
    def in_use(self, workspace: Workspace) -> str:
        """What the workspace has of what it may have, counted now."""
        return format_html_join(mark_safe("<br>"), "{}", ((str(use),) for use in usage.of_workspace(workspace.pk)))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Too much goes with a workspace for a button here."""
        return False


@admin.register(Membership)
class MembershipAdmin(AuditedAdmin):
    """Members of all workspaces."""

    list_display = ("user", "workspace", "role", "created_at")
    list_filter = ("role",)
    list_select_related = ("user", "workspace")
    search_fields = ("user__email", "workspace__slug")
    autocomplete_fields = ("user", "workspace")
    readonly_fields = ("created_at",)
