"""The steps of a run as rows with bars: what was declared, what is stored and what is live, on one time scale."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from automation.engine.document import StepDocument, parse_document
from automation.engine.document.parse import Body
from automation.engine.status import RunStatus, StepStatus
from automation.looks.states import STEP_NEVER, STEP_PENDING, STEP_RUNNING, STEPS, Look
from automation.looks.wording import lasted
from automation.services.loops import Progress
from automation.services.run_reading import Live, RunPage
from automation.store.read_run import StepRow

MARKS = 5  # labels of the scale
LEAST_WIDTH = 0.6  # percent: a step of a millisecond is still to be seen
LOOPS = ("for_each", "while")
STAGES = {"catch": "when it fails", "finally": "in the end"}

Json = Any


@dataclass(frozen=True, slots=True)
class Bar:
    """A piece of the time scale, in percent."""

    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Place:
    """Where a step stands in the document: how deep in groups and tries, in which part of a try, whether it loops."""

    step: StepDocument | None = None
    depth: int = 0
    stage: str = ""
    is_loop: bool = False
    count_inside: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One step. JSON values are text, as the database gives them."""

    path: str
    title: str
    kind: str
    look: Look
    place: Place = Place()
    note: str = ""  # beside the bar: the duration, or why there is none
    attempt: int = 0
    port: str | None = None
    effect: str | None = None
    is_kept: bool = False
    bar: Bar | None = None
    started_at: datetime | None = None
    until: datetime | None = None
    message: str = ""
    operands: Sequence[Mapping[str, Json]] = ()
    config: Json = None
    output: str | None = None
    output_ref: str | None = None  # of the payload that holds all of it
    reason: str | None = None
    error: str | None = None
    progress: Progress | None = None

    @property
    def is_open(self) -> bool:
        """A failed step shows what happened without a click."""
        return self.look.tone == "danger"

    @property
    def is_quiet(self) -> bool:
        """Nothing happened here."""
        return self.look.is_dashed or self.look is STEP_PENDING

    @property
    def can_restart(self) -> bool:
        """True when a retry can begin here: at a step of the document that came to something."""
        return self.place.step is not None and self.look not in (STEP_PENDING, STEP_NEVER, STEP_RUNNING)


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


def timeline(page: RunPage, definition: Mapping[str, Json]) -> Timeline:
    """Rows in the document's order, those inside groups and tries below their container.

    Steps inside loops have no rows here: they stand in the items of the loop.
    """
    head = page.head
    start = head.started_at or head.created_at
    end = head.finished_at or head.now
    scale = _Scale(start, max((end - start).total_seconds(), 0.001))
    stored = {row.path: row for row in page.steps or ()}
    live = {step.path: step for step in page.live}
    places = dict(_places(parse_document(definition).body))
    paths = dict.fromkeys([*places, *stored, *(path for path in live if "[" not in path)])
    rows = [_row(path, places.get(path, Place()), stored.get(path), live.get(path), scale, page) for path in paths]
    has_bars = any(row.bar for row in rows)
    return Timeline(rows, _marks(scale.seconds) if has_bars else [], _summary(rows))


def _places(body: Body, depth: int = 0) -> Iterator[tuple[str, Place]]:
    stage = STAGES.get(body.key, "")
    for step in body.steps:
        is_loop = any(word in step.fields for word in LOOPS)
        inside = sum(len(inner.steps) for inner in step.bodies)
        yield step.id, Place(step, depth, stage, is_loop, inside)
        if not is_loop:
            for inner in step.bodies:
                yield from _places(inner, depth + 1)


def _row(path: str, place: Place, stored: StepRow | None, live: Live | None, scale: _Scale, page: RunPage) -> Row:
    step = place.step
    title, config = (step.name or path, dict(step.config) or None) if step else (path, None)
    kind = _kind(step)
    if live is not None and (stored is None or not StepStatus(stored.status).is_final):
        started = datetime.fromtimestamp(live.started_at, UTC)
        return Row(
            path=path,
            title=title,
            kind=kind or live.kind,
            look=STEP_RUNNING,
            place=place,
            note=lasted((page.head.now - started).total_seconds()),
            attempt=live.attempt,
            bar=scale.bar(started, page.head.now),
            started_at=started,
            config=config,
        )
    if stored is None:
        look = STEP_NEVER if RunStatus(page.head.status).is_final else STEP_PENDING
        return Row(path=path, title=title, kind=kind, look=look, place=place, note="–", config=config)
    return _stored_row(title, config, place, stored, scale, page)


def _kind(step: StepDocument | None) -> str:
    if step is None:
        return ""
    if step.uses:
        return f"{step.uses}, for each" if "for_each" in step.fields else step.uses
    return next((word for word in ("call", "for_each", "while", "try") if word in step.fields), "group")


def _stored_row(title: str, config: Json, place: Place, row: StepRow, scale: _Scale, page: RunPage) -> Row:
    state = StepStatus(row.status)
    why = orjson.loads(row.reason) if row.reason else None
    end = row.finished_at or (None if state is StepStatus.SKIPPED else page.head.now)
    return Row(
        path=row.path,
        title=title,
        kind=_kind(place.step) or row.kind,
        look=STEPS[state],
        place=place,
        note=_note(state, row),
        attempt=row.attempt,
        port=row.port,
        effect=row.effect,
        is_kept=row.is_kept,
        bar=None if state is StepStatus.SKIPPED or row.is_kept else scale.bar(row.started_at, end),
        started_at=row.started_at,
        until=row.until if not state.is_final else None,
        message=_message(row.error, why),
        operands=why.get("operands", ()) if isinstance(why, dict) else (),
        config=config,
        output=row.output,
        output_ref=row.output_ref,
        reason=row.reason,
        error=row.error,
        progress=page.progress.get(row.path),
    )


def _note(state: StepStatus, row: StepRow) -> str:
    if row.is_kept:
        return "kept"
    if state is StepStatus.SKIPPED:
        return "skipped"
    if row.started_at is None or row.finished_at is None:
        return STEPS[state].word.lower()
    return lasted((row.finished_at - row.started_at).total_seconds())


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
