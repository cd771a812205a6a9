"""Triggers: the list, the page of one with its ledger, and the ledger of all schedules."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from unfold.views import ChangeList

from automation.admin import backfill_form, trial_form, trigger_health
from automation.admin.callers import caller_of, say_refusal
from automation.admin.filters import WorkflowFilter, WorkspaceFilter, as_uuid
from automation.admin.rights import may
from automation.looks.states import FIRINGS, OFF, ON, STOPPED, Look
from automation.looks.wording import pretty
from automation.models import Firing, Trigger
from automation.models.firing import FiringDecision
from automation.services import arrival_log, triggers
from automation.triggers import all_trigger_kinds
from brainops.audit.admin.base import ReadOnlyAdmin
from brainops.core.errors import AppError

SHOWN_FIRINGS = 50


class TriggerList(ChangeList):  # type: ignore[misc]  # unfold has no types
    """The rows of a page with what their kinds say about them."""

    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        """Read the page, then ask each kind once."""
        super().get_results(request)
        self.result_list = dressed(list(self.result_list))


@admin.register(Trigger)
class TriggerAdmin(ReadOnlyAdmin):
    """Triggers of all workspaces. They are written through the API; here they are watched and switched."""

    change_list_template = "automation/trigger_list.html"
    list_display = ("name",)
    show_full_result_count = True  # triggers are few
    list_filter = ("kind", "is_active", WorkflowFilter, WorkspaceFilter)
    list_select_related = ("workflow", "workspace")
    search_fields = ("name", "workflow__name", "=id")
    search_help_text = "Trigger, workflow or id"
    ordering = ("-created_at", "-id")
    sortable_by = ()
    actions = ("activate", "pause")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Trigger]:
        """Without the workflows' definitions."""
        rows: QuerySet[Trigger] = super().get_queryset(request)
        return rows.defer("workflow__definition", "workflow__meta_data", "workflow__description")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[TriggerList]:
        """The list with the kinds' words."""
        return TriggerList

    def get_urls(self) -> list[Any]:
        """The page of one trigger, its switch, and the ledger."""
        view = self.admin_site.admin_view
        return [
            path("<uuid:id>/", view(require_GET(self.page_view)), name="automation_trigger_page"),
            path("<uuid:id>/switch/", view(require_POST(self.switch_view)), name="automation_trigger_switch"),
            path(
                "<uuid:id>/backfill/",
                view(require_http_methods(["GET", "POST"])(self.backfill_view)),
                name="automation_trigger_backfill",
            ),
            path(
                "<uuid:id>/try/",
                view(require_http_methods(["GET", "POST"])(self.try_view)),
                name="automation_trigger_try",
            ),
            path("<uuid:id>/condition/", view(require_POST(self.condition_view)), name="automation_trigger_condition"),
            path("<uuid:id>/look/", view(require_POST(self.look_view)), name="automation_trigger_look"),
            path("health/", view(require_GET(self.health_view)), name="automation_trigger_health"),
            path("ledger/", view(require_GET(self.ledger_view)), name="automation_trigger_ledger"),
            *super().get_urls(),
        ]

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Django's own links lead to the page, too. Raises Http404."""
        id_ = as_uuid(object_id)
        if id_ is None:
            raise Http404
        return redirect("admin:automation_trigger_page", id=id_)

    def page_view(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """The page of one trigger."""
        trigger = self._trigger(request, id)
        context = {
            **self.admin_site.each_context(request),
            "title": trigger.name or f"{trigger.kind_title} of {trigger.workflow.name}",
            "trigger": trigger,
            "config": pretty(trigger.config),
            "inputs": pretty(trigger.inputs),
            "firings": _firings(Firing.objects.filter(trigger=trigger))[:SHOWN_FIRINGS],
            "may_switch": self.has_switch_permission(request),
            "may_backfill": self.has_backfill_permission(request),
            **trigger_health.of_one(trigger),
        }
        return render(request, "automation/trigger.html", context)

    def switch_view(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """Activate or pause one trigger."""
        trigger = self._trigger(request, id)
        if not self.has_switch_permission(request):
            raise PermissionDenied
        self._switch(request, [trigger], to=request.POST.get("to") == "active")
        return redirect("admin:automation_trigger_page", id=id)

    def backfill_view(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """Ask for a past period and show which slots it means; order them when that was confirmed."""
        trigger = self._trigger(request, id)
        if not self.has_backfill_permission(request):
            raise PermissionDenied
        if trigger.kind != "schedule":
            raise Http404
        view = backfill_form.read(trigger, request.POST)
        if request.POST.get("confirmed") != "yes":
            return backfill_form.answer(request, self.admin_site, trigger, view)
        try:
            replay = backfill_form.order(request, trigger, view)
        except AppError as refusal:
            say_refusal(request, refusal)
            return redirect("admin:automation_trigger_page", id=id)
        messages.success(request, f"Ordered. Up to {replay.per_minute} runs a minute are started.")
        return redirect("admin:automation_replay_page", id=replay.id)

    def try_view(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """Say what the trigger would do with something; start a test run when that was asked for."""
        trigger = self._trigger(request, id)
        starts = request.method == "POST" and request.POST.get("run") == "yes"
        if not may(request, "automation.view_run") or (starts and not trial_form.may_run(request)):
            raise PermissionDenied
        said = request.POST if request.method == "POST" else request.GET
        view = trial_form.read(request, trigger, said, starts=starts)
        if view.trial is not None and view.trial.run_uid is not None:
            messages.success(request, "Started a test run.")
            return redirect("admin:automation_run_page", uid=view.trial.run_uid)
        return trial_form.answer(request, self.admin_site, trigger, view)

    def look_view(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """Have a worker look at the trigger's source now."""
        trigger = self._trigger(request, id)
        if not self.has_switch_permission(request):
            raise PermissionDenied
        try:
            arrival_log.look_now(caller_of(request, trigger.workspace_id), trigger.id)
        except AppError as refusal:
            say_refusal(request, refusal)
        else:
            messages.success(request, "A worker looks at it now.")
        return redirect("admin:automation_trigger_page", id=id)

    def condition_view(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """Save the condition under which the trigger starts runs."""
        trigger = self._trigger(request, id)
        if not self.has_switch_permission(request):
            raise PermissionDenied
        said = {"condition": request.POST.get("condition", "").strip()}
        try:
            triggers.change(caller_of(request, trigger.workspace_id), trigger.id, said)
        except AppError as refusal:
            say_refusal(request, refusal)
        else:
            messages.success(request, "Saved the condition.")
        return redirect("admin:automation_trigger_page", id=id)

    def health_view(self, request: HttpRequest) -> HttpResponse:
        """How all triggers are doing."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return trigger_health.page(request, self.admin_site)

    def ledger_view(self, request: HttpRequest) -> HttpResponse:
        """What became of the slots of all schedules, newest first."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = Firing.objects.select_related("trigger__workflow")
        decision = request.GET.get("decision", "")
        known = {choice.label: choice for choice in FiringDecision}
        if decision in known:
            rows = rows.filter(decision=known[decision])
        if before := _instant(request.GET.get("before")):
            rows = rows.filter(slot__lt=before)
        page = _firings(rows.defer("trigger__workflow__definition"))[: SHOWN_FIRINGS + 1]
        context = {
            **self.admin_site.each_context(request),
            "title": "Firing ledger",
            "firings": page[:SHOWN_FIRINGS],
            "before": page[SHOWN_FIRINGS - 1].slot if len(page) > SHOWN_FIRINGS else None,
            "decision": decision,
            "decisions": list(known),
        }
        return render(request, "automation/ledger.html", context)

    @admin.action(description="Activate", permissions=["switch"])
    def activate(self, request: HttpRequest, queryset: QuerySet[Trigger]) -> None:
        """Let triggers start runs again; a schedule goes on with its next slot."""
        self._switch(request, queryset, to=True)

    @admin.action(description="Pause", permissions=["switch"])
    def pause(self, request: HttpRequest, queryset: QuerySet[Trigger]) -> None:
        """Keep triggers from starting runs."""
        self._switch(request, queryset, to=False)

    def has_switch_permission(self, request: HttpRequest) -> bool:
        """Those who may change triggers."""
        return may(request, "automation.change_trigger")

    def has_backfill_permission(self, request: HttpRequest) -> bool:
        """Those who may change triggers and start runs, and look at the replay that does it."""
        needed = ("change_trigger", "run_workflow", "retry_run")
        return all(may(request, f"automation.{permission}") for permission in needed)

    def _switch(self, request: HttpRequest, rows: Any, *, to: bool) -> None:
        changed = 0
        for row in rows:
            try:
                triggers.change(caller_of(request, row.workspace_id), row.id, {"is_active": to})
            except AppError as refusal:
                say_refusal(request, refusal)
            else:
                changed += 1
        if changed:
            what = "1 trigger" if changed == 1 else f"{changed} triggers"
            messages.success(request, f"{'Activated' if to else 'Paused'} {what}.")

    def _trigger(self, request: HttpRequest, id: UUID) -> Any:
        """The trigger of the address. Raises PermissionDenied, Http404."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = get_object_or_404(Trigger.objects.select_related("workflow", "workspace", "created_by"), id=id)
        return dressed([row])[0]


def dressed(rows: list[Trigger]) -> list[Any]:
    """Trigger rows with their look, their kind's words and what it knows about them."""
    details = triggers.described(rows)
    for row in rows:
        kind: Any = all_trigger_kinds().get(row.kind)
        about: dict[str, Any] = {
            "kind_title": kind.title if kind else row.kind,
            "icon": kind.icon if kind else "help",
            "details": details.get(row.id, {}).get(row.kind, {}),
            "look": _look(row, kind),
        }
        vars(row).update(about)
    return rows


def _look(row: Trigger, kind: Any) -> Look:
    if not row.is_active:
        return OFF
    is_clockless = kind is None or kind.clock is None
    return ON if is_clockless or row.next_fire_at else STOPPED


def _firings(rows: QuerySet[Firing]) -> list[Any]:
    """Decisions with their looks."""
    found: list[Any] = list(rows.order_by("-slot", "trigger_id")[: SHOWN_FIRINGS + 1])
    for row in found:
        row.look = FIRINGS[FiringDecision(row.decision)]
    return found


def _instant(text: str | None) -> datetime | None:
    try:
        instant = parse_datetime(text or "")
        return instant.astimezone(UTC) if instant and instant.tzinfo else None
    except (ValueError, OverflowError):  # the latter at either end of the calendar
        return None
