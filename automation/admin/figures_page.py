"""Figures of the whole installation over days and weeks, beside those of the stretch before."""

from __future__ import annotations

from dataclasses import dataclass

from automation.admin.dashboard import GAP, STACK, WIDTH, Chart, Column, pieces_of, words_of
from automation.engine.status import RunStatus
from automation.looks.states import RUNS, Look
from automation.services import figures, inventory
from automation.services.figures import Failure, Period, Share, Stretch, Summary

WORDS = {Period.DAY: "24 hours", Period.WEEK: "7 days", Period.MONTH: "30 days", Period.QUARTER: "90 days"}


@dataclass(frozen=True, slots=True)
class FiguresPage:
    """What the page shows."""

    period: Period
    periods: dict[str, str]
    stretch: Stretch
    now: Summary
    before: Summary
    ever: dict[str, int]
    counted: dict[str, int]
    chart: Chart
    legend: list[Look]
    slowest: list[Share]
    failures: list[Failure]

    @property
    def unhappy(self) -> int:
        """Runs that failed or timed out."""
        return self.now.counts[RunStatus.FAILED] + self.now.counts[RunStatus.TIMED_OUT]


def read(asked: str | None) -> FiguresPage:
    """The figures of a period; of 7 days unless another one is asked for."""
    period = Period(asked) if asked in set(Period) else Period.WEEK
    stretch = Stretch.of(period)
    ever = figures.ever()
    return FiguresPage(
        period=period,
        periods={key.value: word for key, word in WORDS.items()},
        stretch=stretch,
        now=figures.summary(stretch),
        before=figures.summary(stretch.before),
        ever={RUNS[status].word: ever[status] for status in RunStatus if status.is_final},
        counted=inventory.count(),
        chart=_chart(stretch),
        legend=[RUNS[status] for status in STACK if status is not RunStatus.TIMED_OUT],
        slowest=figures.slowest(stretch),
        failures=figures.failures(stretch),
    )


def _chart(stretch: Stretch) -> Chart:
    """Stacked bars, one an hour or a day; heights are relative to the busiest one."""
    series = figures.series(stretch)
    top = max(counts.total() for _, counts in series)
    step = WIDTH / len(series)
    form = "%H:%M" if stretch.unit == "hour" else "%d %b"
    gap = min(GAP, step / 3)
    columns = [
        Column(
            round(place * step + gap / 2, 1),
            round(step - gap, 1),
            pieces_of(counts, top),
            at.strftime(form),
            words_of(counts),
        )
        for place, (at, counts) in enumerate(series)
    ]
    return Chart(columns, top, every=max(1, len(columns) // 5))
