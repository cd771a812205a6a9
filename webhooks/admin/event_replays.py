"""The dialog that replays deliveries: how many it would run, what the newest version would do, and then the order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from automation.admin.callers import caller_of, say_refusal
from automation.admin.replay_form import read_uids
from automation.admin.rights import may
from automation.admin.run_log_page import number
from automation.services.replays import DEFAULT_PER_MINUTE, MOST_PER_MINUTE
from automation.services.retries import LATEST, SAME
from brainops.accounts.caller import Caller
from brainops.core.errors import AppError
from webhooks.models import WebhookEndpoint, WebhookEvent
from webhooks.services import event_selection, replays
from webhooks.services.event_selection import Chosen, Preview, Rehearsed

EVENTS = "admin:webhooks_webhookevent_changelist"
VERSIONS = {LATEST: "The newest version", SAME: "The version that each of them ran"}


@dataclass(frozen=True, slots=True)
class ReplayView:
    """The dialog. `rehearsed` is filled when that was asked for; `refusals` say why nothing can be ordered."""

    endpoint: WebhookEndpoint
    ids: Sequence[UUID]
    version: str
    per_minute: int
    preview: Preview | None
    rehearsed: Sequence[Rehearsed]
    refusals: Sequence[str]

    @property
    def events(self) -> str:
        """The ids as the form carries them."""
        return ",".join(map(str, self.ids))


class ReplayDialog:
    """What the admin of events adds: the dialog and its order."""

    admin_site: AdminSite

    def has_repeat_permission(self, request: HttpRequest) -> bool:
        """Whether this member of staff may start runs again."""
        return may(request, "automation.retry_run")

    def replay_view(self, request: HttpRequest) -> HttpResponse:
        """Show the dialog; order the replay when that was confirmed."""
        if not self.has_repeat_permission(request):
            raise PermissionDenied
        ids = read_uids(request.POST.get("events", ""))
        endpoint = _endpoint_of(request, ids)
        if endpoint is None:
            return redirect(EVENTS)
        if request.POST.get("confirmed") == "yes":
            return self._order(request, endpoint, ids) or redirect(EVENTS)
        return self.dialog(request, endpoint, ids, request.POST.dict())

    def dialog(
        self, request: HttpRequest, endpoint: WebhookEndpoint, ids: Sequence[UUID], said: Mapping[str, str]
    ) -> HttpResponse:
        """The page that asks."""
        view = _view_of(caller_of(request, endpoint.workspace_id), endpoint, ids, said)
        context = {"title": "Replay deliveries", "view": view, "versions": VERSIONS, "most": MOST_PER_MINUTE}
        return render(request, "webhooks/replay_new.html", {**self.admin_site.each_context(request), **context})

    @staticmethod
    def _order(request: HttpRequest, endpoint: WebhookEndpoint, ids: Sequence[UUID]) -> HttpResponse | None:
        """One delivery starts at once, several by the clock of replays; None, said on the page, when refused."""
        caller, version = caller_of(request, endpoint.workspace_id), _version(request.POST)
        try:
            if len(ids) == 1:
                event = WebhookEvent.objects.select_related("endpoint__trigger").get(id=ids[0])
                started = replays.replay(caller, event, version)
                messages.success(request, "Started. This is the new run.")
                return redirect("admin:automation_run_page", uid=started.uid)
            pace = _pace(request.POST)
            ordered = event_selection.order(caller, endpoint, Chosen(events=ids), version=version, per_minute=pace)
        except AppError as refusal:
            say_refusal(request, refusal)
            return None
        messages.success(request, f"Ordered. Up to {ordered.per_minute} runs a minute are started.")
        return redirect("admin:automation_replay_page", id=ordered.id)


def _endpoint_of(request: HttpRequest, ids: Sequence[UUID]) -> WebhookEndpoint | None:
    """The webhook of these deliveries; None, said on the page, when they are not of one."""
    related = WebhookEndpoint.objects.select_related("trigger__workflow", "workspace")
    found = list(related.filter(events__id__in=ids).distinct()[:2])
    if len(found) == 1:
        return found[0]
    messages.error(request, "Choose deliveries of one webhook." if found else "Choose the deliveries to replay first.")
    return None


def _view_of(caller: Caller, endpoint: WebhookEndpoint, ids: Sequence[UUID], said: Mapping[str, Any]) -> ReplayView:
    preview: Preview | None = None
    rehearsed: Sequence[Rehearsed] = ()
    refusals: list[str] = []
    try:
        preview = event_selection.preview(caller, endpoint, Chosen(events=ids))
        if said.get("rehearse"):
            rehearsed = event_selection.rehearse(caller, endpoint, Chosen(events=ids))
    except AppError as refusal:
        refusals = [problem.message for problem in refusal.problems] or [refusal.message]
    return ReplayView(endpoint, ids, _version(said), _pace(said), preview, rehearsed, refusals)


def _version(said: Mapping[str, Any]) -> str:
    return SAME if said.get("version") == SAME else LATEST


def _pace(said: Mapping[str, Any]) -> int:
    return number(said.get("per_minute"), most=MOST_PER_MINUTE) or DEFAULT_PER_MINUTE
