"""Webhook endpoints, to look at. They are made and changed with their trigger; their secret is shown nowhere."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import display

from brainops.audit.admin.base import ReadOnlyAdmin
from brainops.core import clock
from webhooks.models import WebhookEndpoint, WebhookEvent
from webhooks.services.endpoints import public_facts
from webhooks.services.front_schema import DEFAULTS, PROPERTIES
from webhooks.signatures import all_schemes

# Newest by the list index: one probe for each row of the page.
_LAST_EVENT = WebhookEvent.objects.filter(endpoint=OuterRef("pk")).order_by("-received_at", "-id").values("received_at")


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ReadOnlyAdmin):
    """The addresses that outside services post to."""

    list_display = ("id", "workflow", "workspace", "verification", "answer", "state", "last_event_at")
    list_filter = ("scheme", "answer", "trigger__is_active")
    list_select_related = ("workspace", "trigger__workflow")
    search_fields = ("=id", "trigger__name", "trigger__workflow__name", "workspace__slug")
    search_help_text = "Id, name of the trigger or the workflow, or workspace."
    fields = (
        *(
            "id",
            "url",
            "workspace",
            "workflow",
            "trigger",
            "state",
            "verification",
            "setup",
            "options",
            "previous_secret_until",
            "rotated_at",
        ),
        *("answer", "wait_seconds", "tolerance_seconds", "max_body_bytes", "event_types", "rules", "deliveries"),
        *("test_address", "is_buffering"),
        *("created_at", "updated_at"),
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookEndpoint]:
        """The endpoints with the time of their last event."""
        rows: QuerySet[WebhookEndpoint] = super().get_queryset(request)
        return rows.defer("secret", "previous_secret").annotate(last_event=Subquery(_LAST_EVENT[:1]))

    @display(description="Workflow", ordering="trigger__workflow__name")
    def workflow(self, endpoint: WebhookEndpoint) -> str:
        """What it starts."""
        return str(endpoint.trigger.workflow)

    @display(description="Verified by", ordering="scheme", label={"signed": "success", "unsigned": "danger"})
    def verification(self, endpoint: WebhookEndpoint) -> tuple[str, str]:
        """The scheme; red when anybody may send."""
        scheme = all_schemes()[endpoint.scheme]
        return ("signed" if scheme.is_signed else "unsigned", scheme.title)

    @display(description="At the sender")
    def setup(self, endpoint: WebhookEndpoint) -> str:
        """What to enter there, and what is still missing here."""
        missing = "The sender's secret is not entered yet: every delivery is refused. "
        return (missing if public_facts(endpoint)["needs_secret"] else "") + all_schemes()[endpoint.scheme].setup

    @display(description="State", label={"on": "success", "off": "warning"})
    def state(self, endpoint: WebhookEndpoint) -> str:
        """Whether it listens."""
        return "on" if endpoint.trigger.is_active and endpoint.trigger.workflow.is_active else "off"

    @display(description="Last event", ordering="last_event")
    def last_event_at(self, endpoint: WebhookEndpoint) -> Any:
        """When something last came."""
        return getattr(endpoint, "last_event", None) or "–"

    @display(description="Previous secret is taken until")
    def previous_secret_until(self, endpoint: WebhookEndpoint) -> str:
        """During a rotation."""
        return public_facts(endpoint)["previous_secret_valid_until"] or "–"

    @display(description="Rules")
    def rules(self, endpoint: WebhookEndpoint) -> str:
        """What its config says of requests, as far as that is not the usual."""
        said = {name: endpoint.trigger.config.get(name) for name in PROPERTIES}
        chosen = {name: value for name, value in said.items() if value and value != DEFAULTS.get(name)}
        return ", ".join(f"{name}: {value}" for name, value in chosen.items()) or "–"

    @display(description="Test address")
    def test_address(self, endpoint: WebhookEndpoint) -> str:
        """Until when it listens, and the way to what came there."""
        until = endpoint.listens_until
        listens = f"listens until {until:%Y-%m-%d %H:%M:%S} UTC" if until and until > clock.now() else "does not listen"
        address = reverse("admin:webhooks_testdelivery_changelist")
        link = '{} {}. <a href="{}?endpoint__id__exact={}">Show what came</a>'
        return format_html(link, endpoint.test_url, listens, address, endpoint.pk)

    @display(description="Events")
    def deliveries(self, endpoint: WebhookEndpoint) -> str:
        """The way to what came."""
        address = reverse("admin:webhooks_webhookevent_changelist")
        return format_html('<a href="{}?endpoint__id__exact={}">Show what came</a>', address, endpoint.pk)
