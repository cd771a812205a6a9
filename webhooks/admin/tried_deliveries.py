"""Test deliveries, to look at: what came to the test address of a webhook while somebody listened."""

from __future__ import annotations

import orjson
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from unfold.decorators import display

from brainops.audit.admin.base import ReadOnlyAdmin
from webhooks.models import TestDelivery
from webhooks.services import events


@admin.register(TestDelivery)
class TestDeliveryAdmin(ReadOnlyAdmin):
    """Samples. They were judged as the webhook would, and count nowhere."""

    list_display = ("received_at", "status", "reason", "method", "event_type", "workflow", "size_bytes")
    list_filter = ("status", "received_at")
    list_select_related = ("endpoint__trigger__workflow",)
    search_fields = ("=id", "=delivery_id", "=endpoint__id", "=run_uid")
    search_help_text = "Id of the sample, the delivery, the webhook or the test run."
    ordering = ("-received_at", "-id")
    fields = (
        *("id", "received_at", "endpoint", "status", "reason", "detail", "run_uid", "method", "path", "delivery_id"),
        *("event_type", "remote_addr", "content_type", "size_bytes", "shown_headers", "shown_query", "shown_body"),
        "shown_trigger",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[TestDelivery]:
        """The samples, without the secrets of their webhooks."""
        rows: QuerySet[TestDelivery] = super().get_queryset(request)
        return rows.defer("endpoint__secret", "endpoint__previous_secret")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Also by endpoint, from the endpoint's page."""
        return lookup == "endpoint__id__exact" or bool(super().lookup_allowed(lookup, value, request))

    @display(description="Workflow")
    def workflow(self, delivery: TestDelivery) -> str:
        """What it was sent to."""
        return str(delivery.endpoint.trigger.workflow)

    @display(description="Headers")
    def shown_headers(self, delivery: TestDelivery) -> str:
        """One a line; secrets are masked already."""
        return _pre("\n".join(f"{name}: {value}" for name, value in delivery.headers.items()))

    @display(description="Query")
    def shown_query(self, delivery: TestDelivery) -> str:
        """As an object."""
        return _json(delivery.query) if delivery.query else "–"

    @display(description="Body")
    def shown_body(self, delivery: TestDelivery) -> str:
        """The head of it, as text or in base64."""
        shown = events.preview(delivery)  # type: ignore[arg-type]  # its body stands in the same columns
        return _pre(shown["text"] if shown["text"] is not None else shown["base64"])

    @display(description="What a run would see")
    def shown_trigger(self, delivery: TestDelivery) -> str:
        """The root `trigger` of expressions."""
        return _json(delivery.trigger) if delivery.trigger is not None else "–"


def _json(value: object) -> str:
    return _pre(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


def _pre(text: str) -> str:
    # format_html escapes the text: whatever a sender wrote stays text (security rule R15)
    return format_html('<pre class="whitespace-pre-wrap break-all">{}</pre>', text)
