"""The dialog of a replay: which runs, where each starts, how fast, and what follows from that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from automation.admin.callers import caller_of
from automation.admin.filters import as_uuid
from automation.admin.run_log_page import number
from automation.models import Run
from automation.services import replays
from automation.services.replay_selection import Wanted
from automation.services.replays import DEFAULT_PER_MINUTE, MOST_PER_MINUTE, Order, ReplayPreview
from automation.services.retries import FAILED, LATEST, SAME, START, Repeat
from brainops.accounts.caller import Caller
from brainops.core.errors import AppError

ORIGINS = {FAILED: "What failed: keep what succeeded", START: "The start: every step runs again"}
VERSIONS = {SAME: "The version each of them ran", LATEST: "The latest version"}


@dataclass(frozen=True, slots=True)
class ReplayView:
    """The dialog. `preview` is None and `refusals` say why when nothing can be ordered."""

    order: Order
    origins: Mapping[str, str]
    versions: Mapping[str, str]
    most_per_minute: int
    preview: ReplayPreview | None
    refusals: Sequence[str]


def read_uids(text: str) -> list[UUID]:
    """The ids in a text, which commas part, each once."""
    return list(dict.fromkeys(uid for part in text.split(",") if (uid := as_uuid(part)) is not None))


def find_caller(request: HttpRequest, uids: Sequence[UUID]) -> Caller | None:
    """Who asks, in the workspace of these runs; None, said on the page, when they are not of one workspace."""
    workspaces = set(Run.objects.filter(uid__in=uids).values_list("workspace_id", flat=True))
    if len(workspaces) == 1:
        return caller_of(request, workspaces.pop())
    messages.error(request, "Choose runs of one workspace." if workspaces else "Choose the runs to repeat first.")
    return None


def answer(
    request: HttpRequest, site: AdminSite, uids: Sequence[UUID], *, said: Mapping[str, str]
) -> HttpResponse | None:
    """The dialog as a page; `said` is what was chosen in it so far. None when it is not possible for these runs."""
    caller = find_caller(request, uids)
    if caller is None:
        return None
    view = view_of(caller, read_order(uids, said))
    context = {"title": "Repeat runs", "view": view, "count": len(uids), "runs": ",".join(map(str, uids))}
    return render(request, "automation/replay_new.html", {**site.each_context(request), **context})


def read_order(uids: Sequence[UUID], said: Mapping[str, str]) -> Order:
    """The order in a form; a value that means nothing is the usual one."""
    origin = START if said.get("from") == START else FAILED
    version = LATEST if said.get("version") == LATEST else SAME
    per_minute = number(said.get("per_minute"), most=MOST_PER_MINUTE) or DEFAULT_PER_MINUTE
    return Order(Wanted(runs=uids), Repeat(origin, version), per_minute)


def view_of(caller: Caller, order: Order) -> ReplayView:
    """What the dialog shows for this order."""
    preview, refusals = None, []
    try:
        preview = replays.preview(caller, order)
    except AppError as refusal:
        refusals = [problem.message for problem in refusal.problems] or [refusal.message]
    return ReplayView(order, ORIGINS, VERSIONS, MOST_PER_MINUTE, preview, refusals)
