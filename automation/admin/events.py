"""Events and where they went: the list, the page of one, and the dead letters with what may be done about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils.html import format_html
from django.views.decorators.http import require_GET, require_POST
from unfold.decorators import display
from unfold.views import ChangeList

from automation.admin.callers import caller_of, say_refusal
from automation.admin.filters import WorkspaceFilter
from automation.admin.rights import may
from automation.looks.states import EVENT_DELIVERIES, Look
from automation.models import Event, EventDelivery, EventDeliveryState
from automation.services import event_letters, events
from brainops.audit.admin.base import ReadOnlyAdmin
from brainops.core.errors import AppError

ACTS: dict[str, tuple[Callable[..., Any], str]] = {
    "redeliver": (event_letters.redeliver, "It is brought to its trigger again."),
    "discard": (event_letters.discard, "It is put aside."),
}


class EventList(ChangeList):  # type: ignore[misc]  # unfold has no types
    """The rows of a page with where each went."""

    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        """Read the page, then count the deliveries of its events."""
        super().get_results(request)
        self.result_list = list(self.result_list)
        counts: dict[UUID, Counter[str]] = {row.id: Counter() for row in self.result_list}
        for event_id, state in EventDelivery.objects.filter(event__in=counts).values_list("event_id", "state"):
            counts[event_id][state] += 1
        for row in self.result_list:
            row.went = _went(counts[row.id])


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """Events of all workspaces, newest first."""

    change_list_template = "automation/event_list.html"
    list_display = ("name",)
    list_select_related = ("workspace", "run")
    list_filter = (WorkspaceFilter, "created_at")
    search_fields = ("name", "=id", "=given_id", "=subject")
    search_help_text = "Part of a type, an id or a subject"
    sortable_by = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        """Without the data: it is read for the page of one."""
        rows: QuerySet[Event] = super().get_queryset(request)
        return rows.defer("payload", "extensions", "digest")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[EventList]:
        """The list with where they went."""
        return EventList

    def get_urls(self) -> list[Any]:
        """The page of one event, and its buttons."""
        view = self.admin_site.admin_view
        return [
            path("<uuid:id>/", view(require_GET(self.page_view)), name="automation_event_page"),
            path("<uuid:id>/act/", view(require_POST(self.act_view)), name="automation_event_act"),
            *super().get_urls(),
        ]

    def page_view(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """The page of one event."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        event = get_object_or_404(Event.objects.select_related("workspace", "run"), id=id)
        rows = event.deliveries.select_related("trigger__workflow").order_by("position", "created_at")
        deliveries: list[Any] = list(rows)
        for row in deliveries:
            row.look = EVENT_DELIVERIES[EventDeliveryState(row.state)]
            row.may_repeat = row.state in event_letters.MAY_REPEAT
        context = {
            **self.admin_site.each_context(request),
            "title": event.name,
            "event": event,
            "attributes": events.said_by(event).attributes,
            "chain": events.chain_of(event),
            "deliveries": deliveries,
            "may_act": may(request, "automation.change_eventdelivery"),
        }
        return render(request, "automation/event.html", context)

    def act_view(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """Deliver to one trigger again, or put a dead letter aside."""
        if not may(request, "automation.change_eventdelivery"):
            raise PermissionDenied
        event = get_object_or_404(Event.objects.only("id", "workspace_id"), id=id)
        act, said = ACTS.get(request.POST.get("act", ""), (None, ""))
        if act is not None:
            try:
                act(caller_of(request, event.workspace_id), request.POST.get("delivery", ""))
                messages.success(request, said)
            except AppError as refusal:
                say_refusal(request, refusal)
        return redirect("admin:automation_event_page", id=id)


@admin.register(EventDelivery)
class EventDeliveryAdmin(ReadOnlyAdmin):
    """Which event went to which trigger; with the filter, the dead letters."""

    list_display = ("shown_event", "shown_state", "reason", "shown_trigger", "attempts", "workspace", "updated_at")
    list_display_links = None
    list_select_related = ("workspace", "event", "trigger__workflow")
    list_filter = ("state", WorkspaceFilter, "updated_at")
    search_fields = ("=id", "=event__id", "=trigger__id", "=event__name")
    search_help_text = "Id of the event or the trigger, or the type of the event"
    ordering = ("-created_at", "-id")
    actions = ("redeliver", "discard")

    def get_queryset(self, request: HttpRequest) -> QuerySet[EventDelivery]:
        """Without what the events hold."""
        rows: QuerySet[EventDelivery] = super().get_queryset(request)
        return rows.defer("event__payload", "event__extensions", "event__digest", "trigger__workflow__definition")

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Whether this member of staff may deal with dead letters."""
        return may(request, "automation.change_eventdelivery")

    @admin.action(description="Deliver again", permissions=["act"])
    def redeliver(self, request: HttpRequest, queryset: QuerySet[EventDelivery]) -> None:
        """Bring the chosen ones to their triggers again."""
        _act(request, queryset, "redeliver", "brought to its trigger again")

    @admin.action(description="Discard", permissions=["act"])
    def discard(self, request: HttpRequest, queryset: QuerySet[EventDelivery]) -> None:
        """Put the chosen dead letters aside."""
        _act(request, queryset, "discard", "put aside")

    @admin.display(description="Event")
    def shown_event(self, row: EventDelivery) -> str:
        """A link to the event."""
        page = reverse("admin:automation_event_page", args=[row.event_id])
        return format_html('<a class="bo-link" href="{}">{}</a>', page, row.event.name)

    @display(
        description="State",
        ordering="state",
        label={"dead letter": "danger", "pending": "warning", "ran": "success", "skipped": "info"},
    )
    def shown_state(self, row: EventDelivery) -> str:
        """One word."""
        return row.get_state_display()

    @admin.display(description="Workflow")
    def shown_trigger(self, row: EventDelivery) -> str:
        """A link to the workflow that the trigger starts."""
        page = reverse("admin:automation_workflow_page", args=[row.trigger.workflow_id])
        return format_html('<a class="bo-link" href="{}">{}</a>', page, row.trigger.workflow.name)


def _went(counts: Counter[str]) -> list[tuple[Look, str]]:
    """The looks of what became of an event, with how often."""
    found = ((look, counts[state]) for state, look in EVENT_DELIVERIES.items())
    return [(look, f"{count} {look.word.lower()}") for look, count in found if count]


def _act(request: HttpRequest, queryset: QuerySet[EventDelivery], verb: str, said: str) -> None:
    done = 0
    for row in queryset.order_by("position"):
        try:
            ACTS[verb][0](caller_of(request, row.workspace_id), row.id)
            done += 1
        except AppError as refusal:
            say_refusal(request, refusal)
    if done:
        messages.success(request, f"{done} {said}.")
