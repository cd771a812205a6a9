"""Workflows: the list, the page of one, and the buttons that run it and switch it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

from automation.admin import run_form, workflow_page
from automation.admin.callers import caller_of, say_refusal
from automation.admin.dry_runs import DryRunPages
from automation.admin.exchange import ExchangePages
from automation.admin.filters import OwnerFilter, TagFilter, WorkflowStateFilter, WorkspaceFilter, as_uuid
from automation.admin.rights import may
from automation.admin.run_form import RunForm
from automation.admin.version_pages import VersionPages
from automation.admin.workflow_list import WorkflowList
from automation.models import Workflow
from automation.services import runs, workflows
from automation.services.rights import require_on_workflow
from automation.services.workflow_drafts import Draft, content_of
from brainops.accounts.policy import Permission
from brainops.audit.admin.base import ReadOnlyAdmin
from brainops.core.errors import AppError


@admin.register(Workflow)
class WorkflowAdmin(ExchangePages, DryRunPages, VersionPages, ReadOnlyAdmin):
    """Workflows of all workspaces. They are written through the API; here they are watched, run and switched."""

    change_list_template = "automation/workflow_list.html"
    list_display = ("name",)
    show_full_result_count = True  # workflows are few
    list_filter = (WorkflowStateFilter, TagFilter, OwnerFilter, WorkspaceFilter)
    list_select_related = ("workspace", "owner")
    search_fields = ("name",)
    search_help_text = "Name, description, tag or id"
    ordering = ("name", "id")
    sortable_by = ()
    actions = ("activate", "pause", "export_chosen")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Workflow]:
        """Definitions stay in the database: they can be large."""
        rows: QuerySet[Workflow] = super().get_queryset(request)
        return rows.defer("definition", "meta_data")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[WorkflowList]:
        """The list that also reads what stands beside the rows."""
        return WorkflowList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Workflow], search_term: str
    ) -> tuple[QuerySet[Workflow], bool]:
        """By what a person remembers."""
        term = search_term.strip()
        if not term:
            return queryset, False
        wanted = Q(name__icontains=term) | Q(description__icontains=term) | Q(tags__contains=[term])
        if id_ := as_uuid(term):
            wanted |= Q(id=id_)
        return queryset.filter(wanted), False

    def get_urls(self) -> list[Any]:
        """The pages of one workflow."""
        view = self.admin_site.admin_view
        return [
            *self.exchange_urls(),
            path("<uuid:id>/", view(require_GET(self.page_view)), name="automation_workflow_page"),
            path("<uuid:id>/versions/", view(require_GET(self.versions_view)), name="automation_workflow_versions"),
            path("<uuid:id>/run/", view(self.run_view), name="automation_workflow_run"),
            path("<uuid:id>/dry-run/", view(self.dry_run_view), name="automation_workflow_dry_run"),
            path("<uuid:id>/switch/", view(require_POST(self.switch_view)), name="automation_workflow_switch"),
            *super().get_urls(),
        ]

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Django's own links lead to the page, too. Raises Http404."""
        id_ = as_uuid(object_id)
        if id_ is None:
            raise Http404
        return redirect("admin:automation_workflow_page", id=id_)

    def page_view(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """The page of one workflow."""
        workflow = self._workflow(request, id)
        context = {
            **self.admin_site.each_context(request),
            "title": workflow.name,
            "view": workflow_page.read(workflow),
            "workflow": workflow,
            "may_run": self._may(request, "run_workflow") and workflow.is_active and not workflow.archived_at,
            "may_rehearse": self._may(request, "run_workflow"),
            "may_switch": self._may(request, "change_workflow") and not workflow.archived_at,
        }
        return render(request, "automation/workflow.html", context)

    def run_view(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """Ask for the inputs, then start a run."""
        workflow = self._workflow(request, id)
        if not self._may(request, "run_workflow"):
            raise PermissionDenied
        asked = run_form.read(workflow.definition, request.POST if request.method == "POST" else None)
        if request.method == "POST":
            try:
                return redirect("admin:automation_run_page", uid=self._start(request, workflow, asked))
            except AppError as refusal:
                say_refusal(request, refusal)
                asked = run_form.refused(asked, refusal)
        context = {"title": f"Run {workflow.name}", "workflow": workflow, "form": asked}
        return render(request, "automation/run_new.html", {**self.admin_site.each_context(request), **context})

    def switch_view(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """Activate or pause one workflow."""
        workflow = self._workflow(request, id)
        if not self._may(request, "change_workflow"):
            raise PermissionDenied
        self._switch(request, [workflow], to=request.POST.get("to") == "active")
        return redirect("admin:automation_workflow_page", id=id)

    @admin.action(description="Activate", permissions=["switch"])
    def activate(self, request: HttpRequest, queryset: QuerySet[Workflow]) -> None:
        """Let workflows start runs again."""
        self._switch(request, queryset, to=True)

    @admin.action(description="Pause", permissions=["switch"])
    def pause(self, request: HttpRequest, queryset: QuerySet[Workflow]) -> None:
        """Keep workflows from starting runs; those under way go on."""
        self._switch(request, queryset, to=False)

    def has_switch_permission(self, request: HttpRequest) -> bool:
        """Those who may change workflows."""
        return self._may(request, "change_workflow")

    def _switch(self, request: HttpRequest, rows: Any, *, to: bool) -> None:
        changed = 0
        for row in rows:
            try:
                workflows.change(
                    caller_of(request, row.workspace_id), row.id, lambda found: Draft(content_of(found), is_active=to)
                )
            except AppError as refusal:
                say_refusal(request, refusal)
            else:
                changed += 1
        if changed:
            what = "1 workflow" if changed == 1 else f"{changed} workflows"
            messages.success(request, f"Activated {what}." if to else f"Paused {what}. Runs under way go on.")

    def _start(self, request: HttpRequest, workflow: Workflow, asked: RunForm) -> UUID:
        caller = caller_of(request, workflow.workspace_id)
        require_on_workflow(caller, Permission.RUNS_EXECUTE, workflow.id)
        inputs = asked.inputs()
        started = runs.start(
            workflow.id, workspace_id=workflow.workspace_id, inputs=inputs, created_by_id=caller.user_id
        )
        messages.success(request, "Started. This is the new run.")
        return started.uid

    def _workflow(self, request: HttpRequest, id: UUID) -> Workflow:
        """The workflow of the address. Raises PermissionDenied, Http404."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return get_object_or_404(Workflow.objects.select_related("workspace", "owner"), id=id)

    @staticmethod
    def _may(request: HttpRequest, permission: str) -> bool:
        return may(request, f"automation.{permission}")
