"""Kept values, to look at: what runs of a workspace remember."""

from __future__ import annotations

from typing import Any

import orjson
from django.contrib import admin

from automation.models import StateValue
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


def beginning(value: Any) -> str:
    """The beginning of a value, as JSON."""
    text = orjson.dumps(value).decode()
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"
