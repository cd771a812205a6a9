"""Approvals: the list, the page of one, and its answers, which ask once more before they count."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

from automation.admin.approval_list import ApprovalList, ApprovalStateFilter, ApprovalWorkflowFilter, dressed
from automation.admin.callers import caller_of, say_refusal
from automation.admin.filters import WorkspaceFilter, as_uuid
from automation.admin.paging import InfinitePaginator
from automation.admin.rights import may
from automation.looks.wording import pretty
from automation.models import Approval, ApprovalKind, ApprovalState
from automation.services import approval_decisions, approvals, forms
from automation.services.approval_rights import asks_user, person_of
from brainops.accounts.caller import Caller
from brainops.audit.admin.base import ReadOnlyAdmin
from brainops.core import json_gate
from brainops.core.errors import AppError, InvalidInput, MalformedJson, NotFound

# verb: (button, what happens then, tone)
VERBS: Mapping[str, tuple[str, str, str]] = {
    "approve": ("Approve", "The run goes on when enough people have approved.", "primary"),
    "reject": ("Reject", "The run goes on at once as rejected.", "danger"),
    "happened": ("It happened", "The step counts as succeeded, with the output given here.", "primary"),
    "repeat": ("Do it again", "The step runs again. If it did happen after all, it happens twice.", "danger"),
    "fail": ("Let it fail", "The step counts as failed.", "danger"),
}


@admin.register(Approval)
class ApprovalAdmin(ReadOnlyAdmin):
    """Approvals of all workspaces; those that ask the person who looks come first."""

    change_list_template = "automation/approval_list.html"
    paginator = InfinitePaginator
    list_display = ("title",)
    list_filter = (ApprovalStateFilter, "kind", ApprovalWorkflowFilter, WorkspaceFilter)
    search_fields = ("title", "=id")
    search_help_text = "Title or id"
    sortable_by = ()
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Approval]:
        """With their runs; what asks this person is marked."""
        user: Any = request.user
        asked = Case(When(asks_user(user.pk), then=Value(1)), default=Value(0), output_field=IntegerField())
        return approvals.with_runs().select_related("run__workflow", "workspace").annotate(asks_me=asked)

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """One's own first, but only among those that wait: they are few, and the rest is read by an index."""
        is_waiting = request.GET.get("state", ApprovalState.PENDING) == ApprovalState.PENDING
        return ("-asks_me", "-created_at", "-id") if is_waiting else ("-created_at", "-id")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ApprovalList]:
        """The list with looks."""
        return ApprovalList

    def get_urls(self) -> list[Any]:
        """The page of one approval, and what is done with it."""
        view = self.admin_site.admin_view
        return [
            path("<uuid:id>/", view(require_GET(self.page_view)), name="automation_approval_page"),
            path("<uuid:id>/decide/<str:verb>/", view(self.decide_view), name="automation_approval_decide"),
            path("<uuid:id>/reassign/", view(require_POST(self.reassign_view)), name="automation_approval_reassign"),
            *super().get_urls(),
        ]

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Django's own links lead to the page, too. Raises Http404."""
        id_ = as_uuid(object_id)
        if id_ is None:
            raise Http404
        return redirect("admin:automation_approval_page", id=id_)

    def page_view(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """The page of one approval."""
        caller, approval = self._find(request, id)
        return self._page(request, caller, approval)

    def decide_view(self, request: HttpRequest, id: UUID, verb: str) -> HttpResponse:
        """Ask once more, then decide. Opening the address decides nothing."""
        if verb not in VERBS:
            raise Http404
        caller, approval = self._find(request, id)
        if not self.has_decide_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return redirect("admin:automation_approval_page", id=id)
        try:
            decide = _decision(approval, verb, request.POST)
            if request.POST.get("confirmed") != "yes":
                return self._ask(request, approval, verb)
            decide(caller)
        except InvalidInput as refusal:
            say_refusal(request, refusal)
            return self._page(request, caller, approval, posted=request.POST)
        except AppError as refusal:
            say_refusal(request, refusal)
        else:
            messages.success(request, "Your answer counts.")
        return redirect("admin:automation_approval_page", id=id)

    def reassign_view(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """Ask others instead."""
        caller, approval = self._find(request, id)
        if not self.has_decide_permission(request):
            raise PermissionDenied
        wanted = request.POST.get("assignees", "").splitlines()
        try:
            approval_decisions.reassign(caller, approval.id, [one.strip() for one in wanted if one.strip()])
            messages.success(request, "Others are asked now.")
        except AppError as refusal:
            say_refusal(request, refusal)
        return redirect("admin:automation_approval_page", id=id)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Those who may decide approvals in the admin."""
        return may(request, "automation.decide_approval")

    def _find(self, request: HttpRequest, id: UUID) -> tuple[Caller, Approval]:
        """Who is looking, and at what. Raises PermissionDenied, Http404."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        workspace_id = Approval.objects.filter(id=id).values_list("workspace_id", flat=True).first()
        if workspace_id is None:
            raise Http404
        caller = caller_of(request, workspace_id)
        try:
            return caller, approvals.get(caller, id)
        except NotFound as error:
            raise Http404 from error

    def _page(
        self, request: HttpRequest, caller: Caller, approval: Approval, *, posted: Mapping[str, str] | None = None
    ) -> HttpResponse:
        row: Any = dressed(approval)
        is_open = row.state_now is ApprovalState.PENDING and self.has_decide_permission(request)
        context = {
            **self.admin_site.each_context(request),
            "title": approval.title,
            "approval": row,
            "fields": forms.fields(approval.form, posted) if is_open else [],
            "comment": (posted or {}).get("comment", ""),
            "output": (posted or {}).get("output", ""),
            "data": pretty(approval.data) if approval.data is not None else None,
            "is_open": is_open,
            "is_unknown": approval.kind == ApprovalKind.UNKNOWN,
            "asks_others": is_open and not person_of(caller).is_assigned(approval),
            "given": sum(vote.verdict == ApprovalState.APPROVED for vote in row.vote_list),
        }
        return render(request, "automation/approval.html", context)

    def _ask(self, request: HttpRequest, approval: Approval, verb: str) -> HttpResponse:
        button, text, tone = VERBS[verb]
        posted = {
            name: value for name, value in request.POST.items() if name not in ("csrfmiddlewaretoken", "confirmed")
        }
        data = forms.read(approval.form, request.POST) if verb == "approve" else None
        words = {"button": button, "text": text, "tone": tone, "posted": posted, "approval": approval}
        words["data"] = pretty(data) if data is not None else posted.get("output") if verb == "happened" else None
        context = {**self.admin_site.each_context(request), "title": f"{button}?", **words}
        return render(request, "automation/approval_confirm.html", context)


def _decision(approval: Approval, verb: str, posted: Mapping[str, str]) -> Callable[[Caller], Approval]:
    """What the button does. Raises InvalidInput for fields that cannot be read."""
    comment = posted.get("comment", "")[:5000]
    if verb == "approve":
        data = forms.read(approval.form, posted)
        approval_decisions.check_data(approval, data)
        return lambda caller: approval_decisions.approve(caller, approval.id, comment=comment, data=data)
    if verb == "reject":
        return lambda caller: approval_decisions.reject(caller, approval.id, comment=comment)
    output = _output(posted.get("output", "")) if verb == "happened" else None
    return lambda caller: approval_decisions.answer(caller, approval.id, verb, comment=comment, output=output)


def _output(text: str) -> Any:
    try:
        return json_gate.read(text.encode()) if text.strip() else None
    except MalformedJson as error:
        raise InvalidInput(f"The output must be JSON: {error.message}") from error
