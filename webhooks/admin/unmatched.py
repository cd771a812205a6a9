"""Requests to addresses that are no webhook's, for the staff: a sender that was given a wrong address shows here."""

from __future__ import annotations

from django.contrib import admin
from django.utils.html import format_html
from unfold.decorators import display

from brainops.audit.admin.base import ReadOnlyAdmin
from webhooks.models import UnmatchedRequest


@admin.register(UnmatchedRequest)
class UnmatchedRequestAdmin(ReadOnlyAdmin):
    """Only some of them are stored, since anybody can make them."""

    list_display = ("received_at", "reason", "method", "address", "remote_addr", "size_bytes", "omitted")
    list_filter = ("reason", "received_at")
    search_fields = ("address", "=remote_addr")
    search_help_text = "A part of the address, or the sender's."
    ordering = ("-received_at", "-id")
    fields = (
        *("id", "received_at", "reason", "method", "address", "remote_addr", "content_type", "size_bytes", "omitted"),
        *("shown_headers", "shown_body"),
    )
    readonly_fields = fields

    @display(description="Headers")
    def shown_headers(self, request: UnmatchedRequest) -> str:
        """One a line; secrets are masked already."""
        return _pre("\n".join(f"{name}: {value}" for name, value in request.headers.items()))

    @display(description="Head of the body")
    def shown_body(self, request: UnmatchedRequest) -> str:
        """As text; bytes that are none are shown as such."""
        return _pre(bytes(request.body).decode(errors="backslashreplace"))


def _pre(text: str) -> str:
    # format_html escapes the text: whatever a stranger wrote stays text (security rule R15)
    return format_html('<pre class="whitespace-pre-wrap break-all">{}</pre>', text)
