"""Kept values and events, to look at: what runs of a workspace remember and what they said happened."""

from __future__ import annotations

from typing import Any

import orjson
from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html

from automation.models import Event, StateValue
from brainops.audit.admin.base import ReadOnlyAdmin

SHOWN_CHARACTERS = 120  # of a value in a list


@admin.register(StateValue)
class StateValueAdmin(ReadOnlyAdmin):
    """Values of the workspaces' key-value stores. Steps and the API change them."""

    list_display = ("key", "workspace", "start", "version", "expires_at", "updated_at")
    list_select_related = ("workspace",)
    list_filter = ("workspace",)
    search_fields = ("key",)
    search_help_text = "Part of a key"
    ordering = ("workspace", "key")

    @admin.display(description="Value")
    def start(self, row: StateValue) -> str:
        """The beginning of the value, as JSON."""
        return beginning(row.value)


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """Events that runs emitted, newest first."""

    list_display = ("name", "workspace", "start", "emitted_by", "path", "created_at")
    list_select_related = ("workspace", "run")
    list_filter = ("workspace", "created_at")
    search_fields = ("name",)
    search_help_text = "Part of a name"

    @admin.display(description="Payload")
    def start(self, row: Event) -> str:
        """The beginning of the payload, as JSON."""
        return beginning(row.payload)

    @admin.display(description="Run")
    def emitted_by(self, row: Event) -> str:
        """A link to the run; a dash when it was pruned."""
        if row.run is None:
            return "–"
        page = reverse("admin:automation_run_page", args=[row.run.uid])
        return format_html('<a href="{}">{}</a>', page, str(row.run.uid)[:8])


def beginning(value: Any) -> str:
    """The beginning of a value, as JSON."""
    text = orjson.dumps(value).decode()
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"
