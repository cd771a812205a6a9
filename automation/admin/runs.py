"""Runs: the list, the page of one run, and its buttons."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

from automation.admin import figures_page, replay_form, run_items_page, run_log_page, run_page
from automation.admin.filters import (
    CreatedFilter,
    RunStatusFilter,
    StartedByFilter,
    UnknownFilter,
    WorkflowFilter,
    WorkspaceFilter,
)
from automation.admin.paging import InfinitePaginator
from automation.admin.rights import may
from automation.admin.run_buttons import RunButtons
from automation.looks.states import run_look
from automation.models import Run, Workflow
from brainops.audit.admin.base import ReadOnlyAdmin
from brainops.core.errors import AppError, NotFound

_UID_START = re.compile(r"[0-9a-f]{4,8}(-?[0-9a-f]{0,4}){0,3}-?[0-9a-f]{0,12}", re.IGNORECASE)
LIVE_HEADER = "HTTP_BRAINOPS_LIVE"  # the page's own script asks for what changes


@admin.register(Run)
class RunAdmin(RunButtons, ReadOnlyAdmin):
    """Runs of all workspaces, to look at. What the engine owns is changed by buttons that call services."""

    change_list_template = "automation/run_list.html"
    paginator = InfinitePaginator
    list_display = ("uid",)
    list_filter = (RunStatusFilter, UnknownFilter, CreatedFilter, WorkflowFilter, StartedByFilter, WorkspaceFilter)
    list_select_related = ("workflow", "version", "trigger", "workspace")
    search_fields = ("uid",)
    search_help_text = "Run id or workflow name"
    ordering = ("-id",)
    sortable_by = ()
    actions = ("repeat",)

    @admin.action(description="Repeat …", permissions=["repeat"])
    def repeat(self, request: HttpRequest, queryset: QuerySet[Run]) -> HttpResponse | None:
        """Show the dialog of a replay for the chosen runs."""
        most = settings.BRAINOPS_LIMITS["replay_runs"]
        uids = list(queryset.order_by("-id").values_list("uid", flat=True)[: most + 1])
        return replay_form.answer(request, self.admin_site, uids, said={})

    def has_repeat_permission(self, request: HttpRequest) -> bool:
        """Those who may retry one run."""
        return may(request, "automation.retry_run")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        """Only what the list shows: definitions stay in the database."""
        rows: QuerySet[Run] = super().get_queryset(request)
        return rows.only(
            *("uid", "status", "wait_kind", "created_at", "started_at", "finished_at"),
            *("workflow__name", "version__number", "trigger__kind", "trigger__name", "workspace__slug"),
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Run], search_term: str
    ) -> tuple[QuerySet[Run], bool]:
        """By the beginning of the id through its index, else by the names of workflows."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if _UID_START.fullmatch(term):
            digits = term.replace("-", "").lower()
            bounds = UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
            if Run.objects.filter(uid__range=bounds).exists():
                return queryset.filter(uid__range=bounds), False
        named = Workflow.objects.filter(name__icontains=term).values("id")[:1000]
        return queryset.filter(workflow_id__in=list(named.values_list("id", flat=True))), False

    def get_urls(self) -> list[Any]:
        """The pages of a run stand under its uid, the id that the API shows."""
        view = self.admin_site.admin_view
        return [
            path("figures/", view(require_GET(self.figures_view)), name="automation_run_figures"),
            path("<uuid:uid>/", view(require_GET(self.run_view)), name="automation_run_page"),
            path("<uuid:uid>/data/<str:part>.json", view(require_GET(self.data_view)), name="automation_run_data"),
            path("<uuid:uid>/items/<str:path>/", view(require_GET(self.items_view)), name="automation_run_items"),
            path("<uuid:uid>/pin/", view(require_POST(self.pin_view)), name="automation_run_pin"),
            path("<uuid:uid>/cancel/", view(self.cancel_view), name="automation_run_cancel"),
            path("<uuid:uid>/retry/<str:origin>/", view(self.retry_view), name="automation_run_retry"),
            *super().get_urls(),
        ]

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Django's own links lead to the page, too."""
        run = self.get_object(request, object_id)
        if run is None:
            raise Http404
        return redirect("admin:automation_run_page", uid=run.uid)

    def figures_view(self, request: HttpRequest) -> HttpResponse:
        """Figures of all workspaces over a period. Raises PermissionDenied."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        page = figures_page.read(request.GET.get("period"))
        context = {**self.admin_site.each_context(request), "title": "Figures", "page": page}
        return render(request, "automation/figures.html", context)

    def run_view(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        """The page of one run, or the part of it that changes."""
        caller = self._caller(request, uid)
        try:
            view = run_page.read(caller, uid, request.GET)
        except NotFound as error:
            raise Http404 from error
        context = {
            **self.admin_site.each_context(request),
            "title": f"Run {str(uid)[:8]}",
            "run": view,
            "head": view.head,
            "tabs": run_page.TABS,
            "levels": run_log_page.LEVELS,
            "buttons": self._buttons(request, view),
        }
        is_live = LIVE_HEADER in request.META
        return render(request, "automation/run_live.html" if is_live else "automation/run.html", context)

    def items_view(self, request: HttpRequest, uid: UUID, path: str) -> HttpResponse:
        """The items of a loop, in pages."""
        caller = self._caller(request, uid)
        try:
            view = run_items_page.read(caller, uid, path, request.GET)
        except NotFound as error:
            raise Http404 from error
        title = f"Items of {path} in run {str(uid)[:8]}"
        may_retry = view.is_final and may(request, "automation.retry_run")
        context = {**self.admin_site.each_context(request), "title": title, "view": view, "may_retry": may_retry}
        return render(request, "automation/run_items.html", context)

    def data_view(self, request: HttpRequest, uid: UUID, part: str) -> HttpResponse:
        """One JSON value of a run, whole, as a download: the browser must never show it as a page."""
        try:
            text = run_page.raw_part(self._caller(request, uid), uid, part)
        except AppError as error:
            raise Http404 from error
        return HttpResponse(
            text or "null",
            content_type="application/json",
            headers={"Content-Disposition": f'attachment; filename="run-{uid}-{part}.json"'},
        )

    def _buttons(self, request: HttpRequest, view: run_page.RunView) -> dict[str, bool]:
        """Which buttons this person has here; those that may not be used are absent."""
        may_retry = view.is_final and may(request, "automation.retry_run")
        may_cancel = not view.is_final and may(request, "automation.cancel_run")
        return {
            "cancel": may_cancel and not view.is_stopping,
            "again": may_retry,
            "from_failed": may_retry and view.has_failed_step,
            "pin": may(request, "automation.retry_run"),
        }

    @staticmethod
    def look(run: Run) -> Any:
        """How a run looks, for the list."""
        return run_look(run.status, run.wait_kind)
