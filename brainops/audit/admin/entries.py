"""The audit log, to look at."""

from __future__ import annotations

from typing import Any

import orjson
from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display

from brainops.audit.admin.base import ReadOnlyAdmin
from brainops.audit.models import AuditEntry


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """One row for each action; nothing can be changed here, nor in the database."""

    list_display = ("at", "actor_label", "action", "summary", "ip")
    list_filter = ("actor_kind", "action")
    search_fields = ("=target_id", "=request_id", "actor_label__istartswith")
    search_help_text = "Target id, request id, or the beginning of an actor."
    date_hierarchy = None  # it would count the whole table
    ordering = ("-id",)
    fields = (
        *("at", "action", "summary", "actor_kind", "actor_label", "actor_id", "ip", "request_id"),
        *("workspace_id", "target_kind", "target_id", "what_changed", "uid"),
    )
    readonly_fields = fields

    @display(description="Changes")
    def what_changed(self, entry: AuditEntry) -> str:
        """The changes as indented JSON; the template escapes it."""
        return orjson.dumps(entry.changes, option=orjson.OPT_INDENT_2).decode() if entry.changes else "–"

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """None."""
        return {}
