"""The dialog of a backfill: which past period of a schedule, how fast, and which slots that means."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from automation.admin.callers import caller_of
from automation.admin.run_log_page import number
from automation.models import Replay, Trigger
from automation.services import backfill_orders
from automation.services.backfill_orders import Planned
from automation.services.replays import DEFAULT_PER_MINUTE, MOST_PER_MINUTE
from automation.triggers.wall_clock import read_instant
from brainops.core import clock
from brainops.core.errors import AppError, InvalidInput, Problem

SHOWN_SLOTS = 10
USUAL = timedelta(days=1)
SHAPE = "%Y-%m-%dT%H:%M"  # of the browser's own field


@dataclass(slots=True)
class BackfillView:
    """The dialog. `planned` is None and `refusals` say why when nothing can be ordered."""

    since: str
    until: str
    per_minute: int
    zone: ZoneInfo
    most_per_minute: int = MOST_PER_MINUTE
    planned: Planned | None = None
    refusals: list[str] = field(default_factory=list)

    @property
    def first(self) -> list[datetime]:
        """The first slots, on the schedule's clock."""
        return [slot.astimezone(self.zone) for slot in (self.planned.slots if self.planned else [])[:SHOWN_SLOTS]]


def read(trigger: Trigger, said: Any) -> BackfillView:
    """What a form says; what it leaves open is the usual: the last day."""
    zone = ZoneInfo(trigger.config["timezone"])
    now = clock.now().astimezone(zone)
    per_minute = number(said.get("per_minute"), most=MOST_PER_MINUTE) or DEFAULT_PER_MINUTE
    since, until = said.get("from") or f"{now - USUAL:{SHAPE}}", said.get("until") or f"{now:{SHAPE}}"
    return BackfillView(since, until, per_minute, zone)


def answer(request: HttpRequest, site: AdminSite, trigger: Any, view: BackfillView) -> HttpResponse:
    """The dialog as a page, with what would follow."""
    try:
        view.planned = backfill_orders.preview(_caller(request, trigger), trigger.id, **_period(view))
    except AppError as refusal:
        view.refusals = [problem.message for problem in refusal.problems] or [refusal.message]
    context = {"title": "Run a past period", "trigger": trigger, "view": view}
    return render(request, "automation/backfill_new.html", {**site.each_context(request), **context})


def order(request: HttpRequest, trigger: Trigger, view: BackfillView) -> Replay:
    """Order what was seen. Raises AppError."""
    period = _period(view)
    return backfill_orders.order(_caller(request, trigger), trigger.id, **period, per_minute=view.per_minute)


def _caller(request: HttpRequest, trigger: Trigger) -> Any:
    return caller_of(request, trigger.workspace_id)


def _period(view: BackfillView) -> dict[str, datetime]:
    """The period as instants. Raises InvalidInput for what is no time."""
    try:
        return {"since": read_instant(view.since, view.zone), "until": read_instant(view.until, view.zone)}
    except (ValueError, OverflowError) as error:
        said = f"Write times like {clock.now():{SHAPE}}."
        raise InvalidInput.from_problems([Problem("invalid_time", said, "/from")]) from error
