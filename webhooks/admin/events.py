"""Webhook events, to look at: every request, what was decided and why."""

from __future__ import annotations

import orjson
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from unfold.decorators import display

from brainops.audit.admin.base import ReadOnlyAdmin
from webhooks.models import WebhookEvent
from webhooks.services import events


@admin.register(WebhookEvent)
class WebhookEventAdmin(ReadOnlyAdmin):
    """What came to the endpoints. Bodies are shown as text and never run."""

    list_display = (
        "received_at",
        "decision",
        "reason",
        "event_type",
        "delivery_id",
        "endpoint",
        "size_bytes",
        "run_uid",
    )
    list_filter = ("verdict", "is_test", "received_at")
    list_select_related = ("endpoint",)
    search_fields = ("=id", "=delivery_id", "=run_uid", "=endpoint__id")
    search_help_text = "Id of the event, the delivery, the run or the endpoint."
    ordering = ("-received_at", "-id")
    fields = (
        *("id", "received_at", "endpoint", "decision", "status", "reason", "detail", "run_uid", "is_test"),
        *("delivery_id", "event_type", "duplicates", "last_duplicate_at", "omitted", "remote_addr", "content_type"),
        *("size_bytes", "shown_headers", "shown_query", "shown_body"),
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookEvent]:
        """The events; their bodies are read only for the page of one."""
        rows: QuerySet[WebhookEvent] = super().get_queryset(request)
        return rows.defer("body", "endpoint__secret", "endpoint__previous_secret")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Also by endpoint, from the endpoint's page."""
        return lookup == "endpoint__id__exact" or bool(super().lookup_allowed(lookup, value, request))

    @display(
        description="Decision",
        ordering="verdict",
        label={"accepted": "success", "rejected": "danger", "acknowledged": "info"},
    )
    def decision(self, event: WebhookEvent) -> str:
        """One word."""
        return event.verdict_word

    @display(description="Headers")
    def shown_headers(self, event: WebhookEvent) -> str:
        """One a line; secrets are masked already."""
        return _pre("\n".join(f"{name}: {value}" for name, value in event.headers.items()))

    @display(description="Query")
    def shown_query(self, event: WebhookEvent) -> str:
        """As an object."""
        return _pre(orjson.dumps(event.query, option=orjson.OPT_INDENT_2).decode()) if event.query else "–"

    @display(description="Body")
    def shown_body(self, event: WebhookEvent) -> str:
        """The head of it, as text or in base64."""
        preview = events.preview(event)
        note = f"\n… {event.size_bytes} bytes in all" if preview["is_truncated"] else ""
        return _pre(f"{preview['text'] if preview['text'] is not None else preview['base64']}{note}")


def _pre(text: str) -> str:
    # format_html escapes the text: whatever a sender wrote stays text (security rule R15)
    return format_html('<pre class="whitespace-pre-wrap break-all">{}</pre>', text)
