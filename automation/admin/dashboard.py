"""The overview: what is under way, what went wrong, what comes next. A fixed number of aggregated queries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.http import HttpRequest

from automation.admin.triggers import dressed as dressed_triggers
from automation.admin.workers import dressed as dressed_worker
from automation.engine.status import RunStatus
from automation.looks.states import RUNS, Look
from automation.models import Run, Trigger, Workflow
from automation.services import statistics
from automation.services.statistics import Window
from brainops.core import clock

HEIGHT, WIDTH, GAP = 150, 1000, 6  # of the chart, in its own units
SHOWN = 8
STACK = (RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.TIMED_OUT, RunStatus.CANCELLED)
UNDER_WAY = Look("Under way", "progress_activity", "info")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a bar."""

    y: float
    height: float
    tone: str


@dataclass(frozen=True, slots=True)
class Column:
    """One hour as a stacked bar; `label` is its beginning."""

    x: float
    width: float
    pieces: list[Piece]
    label: str
    words: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Runs by hour."""

    columns: list[Column]
    top: int
    every: int = 6  # bars from one label of the scale to the next


def overview(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the overview to the index page's context, for those who may see runs."""
    user: Any = request.user
    if not user.has_perm("automation.view_run"):
        return context
    window = statistics.window()
    totals = window.totals
    return {
        **context,
        "overview": {
            "backlog": statistics.backlog(),
            "total": sum(totals.values()),
            "rate": window.success_rate,
            "failed": totals[RunStatus.FAILED] + totals[RunStatus.TIMED_OUT],
            "chart": chart(window),
            "legend": [
                *(RUNS[status] for status in (RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELLED)),
                UNDER_WAY,
            ],
            "failing": statistics.failing_workflows(),
            "workers": [dressed_worker(worker) for worker in statistics.live_workers()],
            "runs": _latest_runs(),
            "schedules": _next_schedules(),
            "has_workflows": Workflow.objects.exists(),
        },
    }


def chart(window: Window) -> Chart:
    """Stacked bars, one an hour; heights are relative to the busiest hour."""
    top = max((sum(hour.counts.values()) for hour in window.hours), default=0)
    step = WIDTH / max(len(window.hours), 1)
    now = clock.now()
    columns = []
    for place, hour in enumerate(window.hours):
        start = now - timedelta(hours=hour.hours_ago + 1)
        columns.append(
            Column(
                round(place * step + GAP / 2, 1),
                round(step - GAP, 1),
                pieces_of(hour.counts, top),
                f"{start:%H:%M}",
                words_of(hour.counts),
            )
        )
    return Chart(columns, top)


def pieces_of(counts: Counter[RunStatus], top: int) -> list[Piece]:
    """From the bottom up: succeeded, failed, cancelled, and what has not ended."""
    ended = [(counts[status], RUNS[status].tone) for status in STACK]
    rest = sum(counts.values()) - sum(count for count, _tone in ended)
    pieces, bottom = [], float(HEIGHT)
    for count, tone in [*ended, (rest, UNDER_WAY.tone)]:
        height = round(count / top * HEIGHT, 2) if top else 0.0
        if count:
            bottom -= height
            pieces.append(Piece(round(bottom, 2), height, tone))
    return pieces


def words_of(counts: Counter[RunStatus]) -> str:
    """The counts of a bar as a sentence."""
    said = [f"{count} {RUNS[status].word.lower()}" for status, count in _ordered(counts).items() if count]
    return ", ".join(said) or "no runs"


def _ordered(counts: Mapping[RunStatus, int]) -> dict[RunStatus, int]:
    return {status: counts[status] for status in (*STACK, *(other for other in RunStatus if other not in STACK))}


def _latest_runs() -> list[Run]:
    rows = Run.objects.select_related("workflow", "version", "trigger").order_by("-id")
    columns = ("uid", "status", "wait_kind", "created_at", "started_at", "finished_at", "workflow__name")
    return list(rows.only(*columns, "version__number", "trigger__kind")[:SHOWN])


def _next_schedules() -> list[Any]:
    rows = Trigger.objects.filter(is_active=True, next_fire_at__isnull=False, workflow__is_active=True)
    rows = rows.select_related("workflow").defer("workflow__definition", "workflow__meta_data")
    return dressed_triggers(list(rows.order_by("next_fire_at")[:SHOWN]))
