"""The buttons of a run's page: cancel and retry. Each asks first, posts, and calls a service."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from automation.admin import retry_form, run_page
from automation.admin.callers import caller_of, say_refusal
from automation.admin.rights import may
from automation.engine.status import RunStatus
from automation.services import pins, retries, runs
from brainops.accounts.caller import Caller
from brainops.core.errors import AppError, NotFound


class RunButtons:
    """What the pages of runs can do; mixed into their admin."""

    admin_site: Any
    has_view_permission: Any

    def cancel_view(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        """Ask, then cancel."""
        caller = self._allowed(request, uid, "cancel_run")
        if request.method == "POST" and request.POST.get("confirmed") == "yes":
            try:
                _run, status = runs.cancel(caller, uid)
            except AppError as refusal:
                say_refusal(request, refusal)
            else:
                is_over = status is RunStatus.CANCELLED
                messages.success(request, "Cancelled." if is_over else "Its worker was told. It stops within seconds.")
            return redirect("admin:automation_run_page", uid=uid)
        words = {
            "question": "Cancel this run?",
            "text": "Steps that have ended stay as they are. A step that is under way is stopped where that is "
            "possible. Runs that it called and waits for are cancelled with it.",
            "button": "Cancel run",
            "tone": "danger",
        }
        back = reverse("admin:automation_run_page", args=[uid])
        context = {**self.admin_site.each_context(request), "title": words["question"], **words}
        return render(request, "automation/confirm.html", {**context, "back": back, "about": f"Run {uid}"})

    def pin_view(self, request: HttpRequest, uid: UUID) -> HttpResponse:
        """Keep the run whatever its age, or leave it to retention again."""
        caller = self._allowed(request, uid, "retry_run")
        is_pinned = request.POST.get("to") == "pinned"
        try:
            pins.pin(caller, uid, is_pinned=is_pinned)
        except AppError as refusal:
            say_refusal(request, refusal)
        else:
            messages.success(request, "Pinned: retention leaves this run." if is_pinned else "No longer pinned.")
        return redirect("admin:automation_run_page", uid=uid)

    def retry_view(self, request: HttpRequest, uid: UUID, origin: str) -> HttpResponse:
        """Ask where to start, with which version and inputs; show what follows; then start the run."""
        caller = self._allowed(request, uid, "retry_run")
        form = retry_form.read({"from": origin, **request.POST.dict()})
        if form.inputs_problem:
            messages.error(request, form.inputs_problem)
        elif request.method == "POST" and request.POST.get("confirmed") == "yes":
            try:
                started = retries.retry(caller, uid, form.repeat)
            except AppError as refusal:
                say_refusal(request, refusal)
            else:
                messages.success(request, "Started. This is the new run.")
                return redirect("admin:automation_run_page", uid=started.uid)
        try:
            view = retry_form.view_of(caller, uid, form)
        except NotFound as error:
            raise Http404 from error
        context = {**self.admin_site.each_context(request), "title": "Retry this run", "view": view, "uid": uid}
        return render(request, "automation/retry.html", context)

    def _allowed(self, request: HttpRequest, uid: UUID, permission: str) -> Caller:
        """Who presses the button. Raises PermissionDenied, Http404."""
        if not may(request, f"automation.{permission}"):
            raise PermissionDenied
        return self._caller(request, uid)

    def _caller(self, request: HttpRequest, uid: UUID) -> Caller:
        """Who is looking, in the run's workspace. Raises PermissionDenied, Http404."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        workspace_id = run_page.find_workspace(uid)
        if workspace_id is None:
            raise Http404
        return caller_of(request, workspace_id)
