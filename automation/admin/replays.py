"""Replays: the order to retry many runs, the list, and the page of one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

from automation.admin.callers import caller_of, say_refusal
from automation.admin.filters import WorkspaceFilter, as_uuid
from automation.admin.paging import InfinitePaginator
from automation.admin.replay_form import answer, find_caller, read_order, read_uids
from automation.admin.rights import may
from automation.admin.run_log_page import number
from automation.looks.states import REPLAYS
from automation.models import Replay
from automation.services import backfill_orders, replays
from brainops.accounts.caller import Caller
from brainops.audit.admin.base import ReadOnlyAdmin
from brainops.core.errors import AppError

RUNS = "admin:automation_run_changelist"
SHOWN_ITEMS = 100
ITEM_STATUSES = {"waiting": "Waiting", "started": "Started", "refused": "Refused"}


@admin.register(Replay)
class ReplayAdmin(ReadOnlyAdmin):
    """Replays of all workspaces, to watch and to stop."""

    change_list_template = "automation/replay_list.html"
    paginator = InfinitePaginator
    list_display = ("id",)
    list_filter = (WorkspaceFilter,)
    list_select_related = ("workspace", "created_by")
    ordering = ("-created_at", "-id")
    sortable_by = ()
    actions = None

    def get_urls(self) -> list[Any]:
        """The order, and the page of one replay."""
        view = self.admin_site.admin_view
        return [
            path("new/", view(require_POST(self.new_view)), name="automation_replay_new"),
            path("<uuid:id>/", view(require_GET(self.page_view)), name="automation_replay_page"),
            path("<uuid:id>/cancel/", view(require_POST(self.cancel_view)), name="automation_replay_cancel"),
            *super().get_urls(),
        ]

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Django's own links lead to the page, too. Raises Http404."""
        id_ = as_uuid(object_id)
        if id_ is None:
            raise Http404
        return redirect("admin:automation_replay_page", id=id_)

    def new_view(self, request: HttpRequest) -> HttpResponse:
        """Ask how to repeat the chosen runs and show what follows; order the replay when that was confirmed."""
        self._require(request, "retry_run")
        uids = read_uids(request.POST.get("runs", ""))
        if request.POST.get("confirmed") != "yes":
            return answer(request, self.admin_site, uids, said=request.POST.dict()) or redirect(RUNS)
        caller = find_caller(request, uids)
        if caller is None:
            return redirect(RUNS)
        try:
            started = replays.start(caller, read_order(uids, request.POST.dict()))
        except AppError as refusal:
            say_refusal(request, refusal)
            return redirect(RUNS)
        messages.success(request, f"Ordered. Up to {started.per_minute} runs a minute are started.")
        return redirect("admin:automation_replay_page", id=started.id)

    def page_view(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """How far a replay is, and its runs."""
        replay = self._replay(request, id)
        status = request.GET.get("status", "") if request.GET.get("status") in ITEM_STATUSES else ""
        after = number(request.GET.get("after")) or 0
        rows = replays.items(self._caller(request, replay), id, status=status or None)
        found = list(rows.filter(id__gt=after).order_by("id")[: SHOWN_ITEMS + 1])
        if replay.source == backfill_orders.SOURCE:
            backfill_orders.name_slots(found)
        context = {
            "title": "Replay",
            "replay": replay,
            "look": REPLAYS[replay.state],
            "done": replay.started + replay.refused,
            "items": found[:SHOWN_ITEMS],
            "next_after": found[SHOWN_ITEMS - 1].id if len(found) > SHOWN_ITEMS else None,
            "status": status,
            "statuses": ITEM_STATUSES,
            "may_cancel": replay.state == "running" and self._may(request, "retry_run"),
        }
        return render(request, "automation/replay.html", {**self.admin_site.each_context(request), **context})

    def cancel_view(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """Start no further run."""
        self._require(request, "retry_run")
        replay = self._replay(request, id)
        try:
            replays.cancel(self._caller(request, replay), id)
        except AppError as refusal:
            say_refusal(request, refusal)
        else:
            messages.success(request, "Cancelled. Runs that were started go on.")
        return redirect("admin:automation_replay_page", id=id)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Replay]:
        """Inputs stay in the database."""
        rows: QuerySet[Replay] = super().get_queryset(request)
        return rows.defer("options")

    def _replay(self, request: HttpRequest, id_: UUID) -> Replay:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return get_object_or_404(Replay.objects.select_related("workspace", "created_by"), id=id_)

    def _caller(self, request: HttpRequest, replay: Replay) -> Caller:
        return caller_of(request, replay.workspace_id)

    def _require(self, request: HttpRequest, permission: str) -> None:
        if not self._may(request, permission):
            raise PermissionDenied

    @staticmethod
    def _may(request: HttpRequest, permission: str) -> bool:
        return may(request, f"automation.{permission}")
