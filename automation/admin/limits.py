"""Limits, to look at: how full each is, which runs hold its slots and which wait."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_GET
from unfold.views import ChangeList

from automation.admin.filters import WorkflowFilter
from automation.engine.status import RunStatus
from automation.looks.states import RUNS
from automation.models import Limit, Run
from automation.services import limit_reading
from brainops.audit.admin.base import ReadOnlyAdmin


class LimitList(ChangeList):  # type: ignore[misc]  # unfold has no types
    """The rows of a page with how full they are."""

    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        """Read the page, then count for all its rows at once."""
        super().get_results(request)
        self.result_list = limit_reading.rows_of(self.result_list)


@admin.register(Limit)
class LimitAdmin(ReadOnlyAdmin):
    """Limits of workflows, by key. Starts make them; `settings.concurrency` of a workflow says how many may run."""

    change_list_template = "automation/limit_list.html"
    list_display = ("key",)
    list_display_links = None
    list_filter = (WorkflowFilter,)
    search_fields = ("key", "workflow__name")
    search_help_text = "Part of a key, or a workflow"
    ordering = ("key",)
    sortable_by = ()
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Limit]:
        """With the names of the workflows, without their definitions."""
        return limit_reading.with_names(super().get_queryset(request))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[LimitList]:
        """The list with counts."""
        return LimitList

    def get_urls(self) -> list[Any]:
        """The page of one limit; its key is in the query, since it may hold anything."""
        view = self.admin_site.admin_view
        page = path("page/", view(require_GET(self.page_view)), name="automation_limit_page")
        return [page, *super().get_urls()]

    def page_view(self, request: HttpRequest) -> HttpResponse:
        """The runs of one limit. Raises Http404."""
        key = request.GET.get("key", "")
        rows = self.get_queryset(request).filter(key=key) if "\x00" not in key else Limit.objects.none()
        found = limit_reading.rows_of(rows)
        if not found or not self.has_view_permission(request):
            raise Http404
        under_way, waiting = limit_reading.runs_of(key)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Limit of {found[0].workflow_name}",
            "limit": found[0],
            "under_way": [_dressed(run) for run in under_way],
            "waiting": [_dressed(run) for run in waiting],
        }
        return render(request, "automation/limit.html", context)


def _dressed(run: Run) -> Any:
    """A run with its look."""
    dressed: Any = run
    dressed.look = RUNS[RunStatus(run.status)]
    return dressed
