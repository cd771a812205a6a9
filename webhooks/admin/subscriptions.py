"""Subscriptions: the list, the form, and the page of one with what it was sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.views.decorators.http import require_GET, require_POST
from unfold.views import ChangeList

from automation.admin.callers import caller_of, say_refusal
from automation.admin.filters import WorkspaceFilter
from automation.admin.rights import may
from automation.engine.wording import counted
from automation.looks.states import DELIVERIES, OFF, ON, STOPPED, Look
from automation.models import DeliveryState
from brainops.audit.admin.base import AuditedAdmin
from brainops.core import clock
from brainops.core.errors import AppError
from webhooks.admin.subscription_form import SubscriptionForm
from webhooks.models import OffReason, OutboundAttempt, OutboundDelivery, Subscription
from webhooks.services import outbound_acts, subscriptions

SHOWN_DELIVERIES = 50
SPANS = {"1d": ("1 day", 1), "1w": ("1 week", 7), "30d": ("30 days", 30)}
PAGE = "admin:webhooks_subscription_page"
LOOKS = {**DELIVERIES, DeliveryState.DROPPED: Look("Called off", "block", "neutral", is_dashed=True)}
_LAST = OutboundAttempt.objects.filter(delivery=OuterRef("pk")).order_by("-id")


class SubscriptionList(ChangeList):  # type: ignore[misc]  # unfold has no types
    """The rows of a page with their looks."""

    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        """Read the page, then say how each row looks."""
        super().get_results(request)
        self.result_list = [_dressed(row) for row in self.result_list]


@admin.register(Subscription)
class SubscriptionAdmin(AuditedAdmin):
    """Subscriptions of all workspaces."""

    change_list_template = "webhooks/subscription_list.html"
    form = SubscriptionForm
    list_display = ("url",)
    list_filter = ("is_active", "off_reason", WorkspaceFilter)
    list_select_related = ("workspace",)
    search_fields = ("description", "=id", "url")
    search_help_text = "Description, address or id"
    sortable_by = ()
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Subscription]:
        """Without secrets; with the number of deliveries that were given up within a day."""
        lately = Q(deliveries__state=DeliveryState.FAILED, deliveries__created_at__gt=clock.now() - timedelta(days=1))
        return subscriptions.without_secrets().annotate(failed=Count("deliveries", filter=lately))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[SubscriptionList]:
        """The list with looks."""
        return SubscriptionList

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A subscription never moves to another workspace."""
        fields = SubscriptionForm.Meta.fields
        return fields if obj is None else fields[1:]

    def get_urls(self) -> list[Any]:
        """The page of one subscription, of one delivery, and the buttons."""
        view = self.admin_site.admin_view
        post = {"test": self.test_view, "switch": self.switch_view, "rotate": self.rotate_view}
        post |= {"redeliver": self.redeliver_view, "replay": self.replay_view}
        one = "<uuid:id>/deliveries/<uuid:delivery_id>/"
        return [
            path("<uuid:id>/", view(require_GET(self.page_view)), name="webhooks_subscription_page"),
            path(one, view(require_GET(self.delivery_view)), name="webhooks_subscription_delivery"),
            *(
                path(f"<uuid:id>/{verb}/", view(require_POST(act)), name=f"webhooks_subscription_{verb}")
                for verb, act in post.items()
            ),
            *super().get_urls(),
        ]

    def page_view(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """The page of one subscription."""
        row = _dressed(self._row(request, id))
        sent = OutboundDelivery.objects.filter(subscription=row).defer("body")
        sent = sent.annotate(last_status=Subquery(_LAST.values("status")[:1]))
        context = {
            **self.admin_site.each_context(request),
            "title": row.description or row.url,
            "row": row,
            "deliveries": [_sent(one) for one in sent[:SHOWN_DELIVERIES]],
            "spans": [(key, title) for key, (title, _) in SPANS.items()],
            "may_change": self.has_change_permission(request),
        }
        return render(request, "webhooks/subscription.html", context)

    def delivery_view(self, request: HttpRequest, id: UUID, delivery_id: UUID) -> HttpResponse:
        """The page of one delivery: what is posted, and each try."""
        row = self._row(request, id)
        found = OutboundDelivery.objects.filter(subscription=row).prefetch_related("tries")
        delivery = _sent(get_object_or_404(found, id=delivery_id))
        context = {
            **self.admin_site.each_context(request),
            "title": delivery.type,
            "row": row,
            "delivery": delivery,
            "may_change": self.has_change_permission(request),
        }
        return render(request, "webhooks/outbound_delivery.html", context)

    def test_view(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """Send a test, and say what became of it."""

        def act(row: Subscription) -> None:
            made = outbound_acts.test(caller_of(request, row.workspace_id), row.id)
            if made.state == DeliveryState.SENT:
                messages.success(request, "The test arrived.")
            else:
                messages.error(request, f"The test did not arrive: {made.last_error}")

        return self._do(request, id, act)

    def switch_view(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """Switch it off, or on again."""

        def act(row: Subscription) -> None:
            subscriptions.change(caller_of(request, row.workspace_id), row.id, {"is_active": not row.is_active})
            messages.success(request, "It hears of nothing now." if row.is_active else "It hears of events again.")

        return self._do(request, id, act)

    def rotate_view(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """Make a new secret; it is shown this once."""

        def act(row: Subscription) -> None:
            saved = subscriptions.rotate(caller_of(request, row.workspace_id), row.id)
            said = f"The new secret is {saved.secret} – it is not shown again. The old one signs for a day more."
            messages.warning(request, said)

        return self._do(request, id, act)

    def redeliver_view(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """Send a delivery again."""

        def act(row: Subscription) -> None:
            outbound_acts.redeliver(caller_of(request, row.workspace_id), row.id, request.POST.get("delivery", ""))
            messages.success(request, "It is sent again.")

        return self._do(request, id, act)

    def replay_view(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """Send again what did not arrive within a time."""
        days = SPANS.get(request.POST.get("span", ""), SPANS["1d"])[1]

        def act(row: Subscription) -> None:
            since = clock.now() - timedelta(days=days)
            done = outbound_acts.replay(caller_of(request, row.workspace_id), row.id, since=since)
            more = f" {counted(done.more, 'more delivery')} can follow." if done.more else ""
            messages.success(request, f"Deliveries that are sent again: {done.count}.{more}")

        return self._do(request, id, act)

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        """Save through the service; the secret of a new one is shown this once."""
        if change:
            row = form.instance
            return subscriptions.replace(caller_of(request, row.workspace_id), row.id, **form.said()).subscription
        saved = subscriptions.create(caller_of(request, form.cleaned_data["workspace"].id), **form.said())
        messages.warning(request, f"What it is sent is signed with {saved.secret} – it is not shown again.")
        return saved.subscription

    def save_model(self, request: HttpRequest, obj: Subscription, form: Any, change: bool) -> None:
        """The service has saved and recorded it."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """As above."""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """As above."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """As above."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None:
        """As above."""

    def delete_model(self, request: HttpRequest, obj: Subscription) -> None:
        """Delete through the service."""
        subscriptions.delete(caller_of(request, obj.workspace_id), obj.id)

    def _row(self, request: HttpRequest, id: UUID) -> Subscription:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return get_object_or_404(self.get_queryset(request).select_related("workspace", "created_by"), id=id)

    def _do(self, request: HttpRequest, id: UUID, act: Callable[[Subscription], None]) -> HttpResponse:
        if not may(request, "webhooks.change_subscription"):
            raise PermissionDenied
        row = get_object_or_404(subscriptions.without_secrets(), id=id)
        try:
            act(row)
        except AppError as refusal:
            say_refusal(request, refusal)
        return redirect(PAGE, id=id)


def _dressed(row: Any) -> Any:
    """A subscription with its look."""
    row.look = ON if row.is_active else OFF if row.off_reason == OffReason.PERSON else STOPPED
    return row


def _sent(row: Any) -> Any:
    """A delivery with its look."""
    row.look = LOOKS[DeliveryState(row.state)]
    row.is_waiting = row.state == DeliveryState.PENDING and row.sending_until is None
    return row
