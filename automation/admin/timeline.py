"""The steps of a run as rows with bars: what was declared, what is stored and what is live, on one time scale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from automation.engine.status import RunStatus, StepStatus
from automation.looks.states import STEP_NEVER, STEP_PENDING, STEP_RUNNING, STEPS, Look
from automation.looks.wording import lasted
from automation.services.run_reading import Live, RunPage

MARKS = 5  # labels of the scale
LEAST_WIDTH = 0.6  # percent: a step of a millisecond is still to be seen

Json = Any


@dataclass(frozen=True, slots=True)
class Bar:
    """A piece of the time scale, in percent."""

    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Row:
    """One step. JSON values are text, as the database gives them."""

    path: str
    title: str
    kind: str
    look: Look
    note: str = ""  # beside the bar: the duration, or why there is none
    attempt: int = 0
    port: str | None = None
    is_kept: bool = False
    bar: Bar | None = None
    started_at: datetime | None = None
    until: datetime | None = None
    message: str = ""
    operands: Sequence[Mapping[str, Json]] = ()
    config: Json = None
    output: str | None = None
    reason: str | None = None
    error: str | None = None

    @property
    def is_open(self) -> bool:
        """A failed step shows what happened without a click."""
        return self.look.tone == "danger"

    @property
    def is_quiet(self) -> bool:
        """Nothing happened here."""
        return self.look.is_dashed or self.look is STEP_PENDING


@dataclass(frozen=True, slots=True)
class Timeline:
    """All rows and the labels of the scale."""

    rows: list[Row]
    marks: list[str] = field(default_factory=list)
    summary: str = ""


@dataclass(frozen=True, slots=True)
class _Scale:
    start: datetime
    seconds: float

    def bar(self, start: datetime | None, end: datetime | None) -> Bar | None:
        """The bar of a stretch of time; a kept step's lies before the run and has none."""
        if start is None or end is None or end < self.start:
            return None
        x = max(0.0, (start - self.start).total_seconds() / self.seconds * 100)
        width = max((end - start).total_seconds() / self.seconds * 100, LEAST_WIDTH)
        return Bar(round(min(x, 100 - LEAST_WIDTH), 2), round(min(width, 100 - min(x, 100 - LEAST_WIDTH)), 2))


def timeline(page: RunPage, declared: Sequence[Mapping[str, Json]]) -> Timeline:
    """Rows in the document's order; those of loops and the like come behind."""
    head = page.head
    start = head.started_at or head.created_at
    end = head.finished_at or head.now
    scale = _Scale(start, max((end - start).total_seconds(), 0.001))
    stored = {row[0]: row for row in page.steps or ()}
    live = {step.path: step for step in page.live}
    written = {step["id"]: step for step in declared}
    paths = dict.fromkeys([*written, *stored, *live])
    rows = [_row(path, written.get(path, {}), stored.get(path), live.get(path), scale, page) for path in paths]
    has_bars = any(row.bar for row in rows)
    return Timeline(rows, _marks(scale.seconds) if has_bars else [], _summary(rows))


def _row(
    path: str,
    written: Mapping[str, Json],
    stored: Sequence[Any] | None,
    live: Live | None,
    scale: _Scale,
    page: RunPage,
) -> Row:
    title, kind, config = written.get("name") or path, written.get("uses", ""), written.get("with")
    if live is not None and (stored is None or not StepStatus(stored[2]).is_final):
        started = datetime.fromtimestamp(live.started_at, UTC)
        return Row(
            path=path,
            title=title,
            kind=kind or live.kind,
            look=STEP_RUNNING,
            note=lasted((page.head.now - started).total_seconds()),
            attempt=live.attempt,
            bar=scale.bar(started, page.head.now),
            started_at=started,
            config=config,
        )
    if stored is None:
        look = STEP_NEVER if RunStatus(page.head.status).is_final else STEP_PENDING
        return Row(path=path, title=title, kind=kind, look=look, note="–", config=config)
    return _stored_row(title, config, stored, scale, page.head.now)


def _stored_row(title: str, config: Json, stored: Sequence[Any], scale: _Scale, now: datetime) -> Row:
    path, kind, status, attempt, is_kept, port, output, reason, error, until, started, finished = stored
    state = StepStatus(status)
    why = orjson.loads(reason) if reason else None
    end = finished or (None if state is StepStatus.SKIPPED else now)
    return Row(
        path=path,
        title=title,
        kind=kind,
        look=STEPS[state],
        note=_note(state, is_kept, started, finished),
        attempt=attempt,
        port=port,
        is_kept=is_kept,
        bar=None if state is StepStatus.SKIPPED or is_kept else scale.bar(started, end),
        started_at=started,
        until=until if not state.is_final else None,
        message=_message(error, why),
        operands=why.get("operands", ()) if isinstance(why, dict) else (),
        config=config,
        output=output,
        reason=reason,
        error=error,
    )


def _note(state: StepStatus, is_kept: bool, started: datetime | None, finished: datetime | None) -> str:
    if is_kept:
        return "kept"
    if state is StepStatus.SKIPPED:
        return "skipped"
    if started is None or finished is None:
        return STEPS[state].word.lower()
    return lasted((finished - started).total_seconds())


def _message(error: str | None, why: Json) -> str:
    if error:
        return str(orjson.loads(error).get("message", ""))
    if not isinstance(why, dict):
        return ""
    if why.get("type") == "if":
        return f"Its condition {why.get('expression')} did not hold."
    return str(why.get("message", ""))


def _marks(seconds: float) -> list[str]:
    return [lasted(seconds * mark / (MARKS - 1)) if mark else "0" for mark in range(MARKS)]


def _summary(rows: Iterable[Row]) -> str:
    """`3 succeeded, 1 failed, 2 skipped`."""
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.look.word.lower()] = counts.get(row.look.word.lower(), 0) + 1
    return ", ".join(f"{count} {word}" for word, count in counts.items())
