"""Webhook events, to look at: every request, what was decided and why."""

from __future__ import annotations

from typing import Any

import orjson
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST
from unfold.decorators import display

from brainops.audit.admin.base import ReadOnlyAdmin
from webhooks.admin.event_replays import EVENTS, ReplayDialog
from webhooks.models import WebhookEndpoint, WebhookEvent
from webhooks.services import curl, events

SHORTEST_SEARCH = 2  # characters
MOST_CHOSEN = 1_000  # deliveries of one order here; the API takes filters


@admin.register(WebhookEvent)
class WebhookEventAdmin(ReplayDialog, ReadOnlyAdmin):
    """What came to the endpoints. Bodies are shown as text and never run."""

    list_display = (
        "received_at",
        "decision",
        "reason",
        "event_type",
        "delivery_id",
        "workflow",
        "size_bytes",
        "run",
    )
    list_filter = ("verdict", "is_verified", "is_test", "received_at")
    list_select_related = ("endpoint__trigger__workflow",)
    search_fields = ("=id", "=delivery_id", "=run_uid", "=endpoint__id")
    search_help_text = "Id of the event, delivery, run or webhook, or a part of what came (in the newest 5,000)."
    actions = ("replay",)
    change_form_outer_before_template = "webhooks/event_replay.html"
    ordering = ("-received_at", "-id")
    fields = (
        *("id", "received_at", "endpoint", "decision", "status", "reason", "detail", "run_uid"),
        *("is_verified", "is_test", "method", "path"),
        *("delivery_id", "event_type", "duplicates", "last_duplicate_at", "omitted", "remote_addr", "content_type"),
        *("size_bytes", "shown_headers", "shown_query", "shown_body", "command"),
    )
    readonly_fields = fields

    def get_urls(self) -> list[Any]:
        """The dialog of replays."""
        view = self.admin_site.admin_view(require_POST(self.replay_view))
        return [path("replay/", view, name="webhooks_event_replay"), *super().get_urls()]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[WebhookEvent], search_term: str
    ) -> tuple[QuerySet[WebhookEvent], bool]:
        """By id, else by what came, among the newest of those that fit the filters."""
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        if len(search_term) < SHORTEST_SEARCH or found.exists():
            return found, may_repeat
        newest = queryset.order_by("-received_at", "-id").values("id")[: events.SEARCHED]
        return events.saying(queryset.filter(id__in=newest), search_term), may_repeat

    @admin.action(description="Replay …", permissions=["repeat"])
    def replay(self, request: HttpRequest, queryset: QuerySet[WebhookEvent]) -> HttpResponse:
        """Ask how."""
        chosen = list(queryset.order_by("received_at", "id").values_list("id", "endpoint_id")[: MOST_CHOSEN + 1])
        webhooks = {endpoint_id for _, endpoint_id in chosen}
        if len(webhooks) != 1 or len(chosen) > MOST_CHOSEN:
            messages.error(request, f"Choose up to {MOST_CHOSEN:,} deliveries of one webhook.")
            return redirect(EVENTS)
        endpoint = WebhookEndpoint.objects.select_related("trigger__workflow", "workspace").get(id=webhooks.pop())
        return self.dialog(request, endpoint, [id_ for id_, _ in chosen], {})

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
        label={"accepted": "success", "rejected": "danger", "acknowledged": "info", "buffered": "warning"},
    )
    def decision(self, event: WebhookEvent) -> str:
        """One word."""
        return event.verdict_word

    @display(description="Workflow")
    def workflow(self, event: WebhookEvent) -> str:
        """What it was sent to."""
        return str(event.endpoint.trigger.workflow)

    @display(description="Run")
    def run(self, event: WebhookEvent) -> str:
        """The run it started, with the way to it."""
        if event.run_uid is None:
            return "–"
        address = reverse("admin:automation_run_page", args=[event.run_uid])
        return format_html('<a class="font-mono" href="{}">{}</a>', address, str(event.run_uid)[:8])

    @display(description="As a command")
    def command(self, event: WebhookEvent) -> str:
        """The delivery for curl, and what to know about it."""
        return _pre("\n".join([curl.command(event), *(f"# {said}" for said in curl.notes(event))]))

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
