"""Invitations of all workspaces: look, send again, revoke. They are made through the API by members."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from brainops.accounts.models import Invitation
from brainops.accounts.services import invitations
from brainops.accounts.services.people_lock import lock_people
from brainops.audit.admin.base import ReadOnlyAdmin, actor_of
from brainops.core.errors import AppError
from brainops.core.mail import Delivery


class StateFilter(admin.SimpleListFilter):
    """By state, which is no column."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """All states."""
        return [(word, word) for word in invitations.STATES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> QuerySet[Invitation]:
        """Those in the chosen state."""
        return queryset.filter(invitations.in_state(value)) if (value := self.value()) else queryset


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    """Offers of membership. The link itself is stored nowhere."""

    list_display = ("email", "workspace", "role", "state", "invited_by", "sent_at", "expires_at")
    list_filter = (StateFilter, "role")
    list_select_related = ("workspace", "invited_by")
    search_fields = ("email", "workspace__slug")
    fields = (
        *("email", "workspace", "role", "state", "message", "invited_by"),
        *("created_at", "sent_at", "expires_at", "accepted_at", "accepted_by", "declined_at", "revoked_at"),
    )
    readonly_fields = fields
    actions = ("resend", "revoke")

    @display(
        description="State",
        label={"open": "info", "accepted": "success", "expired": "warning", "declined": "danger", "revoked": "danger"},
    )
    def state(self, row: Invitation) -> str:
        """One word."""
        return invitations.state_of(row)

    @admin.action(description="Send the selected invitations again", permissions=["answer"])
    def resend(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> None:
        """Mail new links; the old ones end."""
        for row in queryset.select_related("workspace", "invited_by"):
            try:
                with transaction.atomic():
                    lock_people(row.workspace_id)
                    row.refresh_from_db(fields=["accepted_at", "declined_at", "revoked_at"])
                    token = invitations.renew(row, by=actor_of(request))
                sent = invitations.send_link(row, token)
            except AppError as refusal:
                messages.error(request, f"{row.email}: {refusal.message}")
                continue
            _tell(request, sent)

    @admin.action(description="Revoke the selected invitations", permissions=["answer"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> None:
        """End offers; their links are unknown from then on."""
        rows = list(queryset.filter(invitations.OPEN))
        for row in rows:
            invitations.revoke_row(row, by=actor_of(request))
        messages.success(request, f"Revoked {len(rows)} invitations.")

    def has_answer_permission(self, request: HttpRequest) -> bool:
        """Those who may change invitations."""
        return bool(request.user.has_perm("accounts.change_invitation"))


def _tell(request: HttpRequest, sent: invitations.Sent) -> None:
    if sent.delivery is Delivery.SENT:
        messages.success(request, f"Sent to {sent.row.email}.")
    elif sent.link:
        messages.warning(request, f"No mail server is set. Pass this on to {sent.row.email}, once: {sent.link}")
    else:
        messages.error(request, f"The mail to {sent.row.email} could not be sent; the log says why.")
