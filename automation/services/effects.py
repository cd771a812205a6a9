"""The effect ledger: what a run did outside, how sure that is, and the key under which its targets know it.

Nothing is written for it: it is read from the rows of the steps, those folded into loops included.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.db import connection

from automation.engine.containers import BATCH
from automation.engine.document import StepDocument, parse_document
from automation.engine.effects import effect_of, idempotency_of
from automation.engine.idempotency import idempotency_key
from automation.engine.kinds import Effect, Idempotency
from automation.engine.results import id_of
from automation.engine.status import StepStatus
from automation.models import Run, WorkflowVersion
from automation.services.run_reading import Live, read_live
from automation.services.secret import idempotency_secret
from automation.steps import all_kinds
from automation.store.read_effects import Source, read_sources
from automation.store.read_items import read_one
from brainops.accounts.caller import Caller

WRITES = tuple(effect.value for effect in Effect if effect.is_write)
CONFIRMED, STARTED, UNKNOWN, FAILED = "confirmed", "started", "unknown", "failed"
STATUSES = (CONFIRMED, STARTED, UNKNOWN, FAILED)
INSIDE = 10_000  # effects of one batch that a position can tell apart

Json = Any


@dataclass(frozen=True, slots=True)
class EffectRow:
    """One effect of one step. `key` is its idempotency key, None when it was kept from the run this one repeats.

    `has_key` says whether the target is sent it, None when that depends on values. `target` names the other side as
    the document does. CONFIRMED: the target answered well; FAILED: it refused or was not reached; STARTED: under way;
    UNKNOWN: it may have happened.
    """

    path: str
    kind: str
    effect: str
    status: str
    attempt: int
    is_kept: bool
    key: str | None
    has_key: bool | None
    target: str | None
    error: str | None
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class EffectPage:
    """Some effects, and the position behind which the next ones stand."""

    rows: Sequence[EffectRow]
    next_after: int | None


@dataclass(frozen=True, slots=True)
class Occurred:
    """An effect as the rows tell it. `row` is the path of the row it stands in: that of a batch inside a loop."""

    row: str
    path: str
    kind: str
    effect: str
    status: str
    attempt: int
    is_kept: bool = False
    error: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


def ledger(caller: Caller, uid: UUID, *, after: int = -1, status: str | None = None, limit: int) -> EffectPage:
    """A page of the effects of a run, in the order they began. Raises NotFound."""
    head, live = read_live(caller, uid)
    definition = WorkflowVersion.objects.values_list("definition", flat=True).get(id=head.version_id)
    steps = {step.id: step for step in parse_document(definition).steps()}
    parent_id = (
        Run.objects.filter(uid=head.parent_uid).values_list("id", flat=True).first() if head.parent_uid else None
    )
    found = []
    with connection.cursor() as cursor:
        sources = read_sources(cursor, head.id, writes=list(WRITES))
        for position, effect in _walk(cursor, head.id, parent_id, sources, after=after):
            if status in (None, effect.status):
                found.append((position, effect))
            if len(found) > limit:
                break
    if after < 0 and status in (None, STARTED):
        known = {source.path for source in sources}
        found[:0] = [(-1, effect) for effect in _under_way(live, steps, known)][: limit - 1]
    page = found[:limit]
    rows = [_told(effect, str(head.uid), steps.get(id_of(effect.path))) for _position, effect in page]
    return EffectPage(rows, page[-1][0] if len(found) > limit else None)


def occurred(cursor: Any, run_id: int) -> Iterator[Occurred]:
    """Every effect of a run, in the order they began."""
    for source in read_sources(cursor, run_id, writes=list(WRITES)):
        yield from _effects_of(cursor, run_id, None, source)


def _walk(
    cursor: Any, run_id: int, parent_id: int | None, sources: Sequence[Source], *, after: int
) -> Iterator[tuple[int, Occurred]]:
    for place, source in enumerate(sources):
        if (place + 1) * INSIDE <= after:
            continue
        for inner, effect in enumerate(_effects_of(cursor, run_id, parent_id, source)):
            position = place * INSIDE + min(inner, INSIDE - 1)
            if position > after:
                yield position, effect


def _effects_of(cursor: Any, run_id: int, parent_id: int | None, source: Source) -> Iterator[Occurred]:
    if source.effect in WRITES and source.kind != BATCH:
        status = status_of(StepStatus(source.status), source.reason_type, source.error_type)
        yield Occurred(
            *(source.path, source.path, source.kind, str(source.effect), status, source.attempt, source.is_kept),
            *(source.error_message, source.started_at, source.finished_at),
        )
        return
    before = _items_of(cursor, parent_id, source.path) if parent_id and source.kind == BATCH else []
    kept = {item.get("index"): item for item in before}
    for item in _items_of(cursor, run_id, source.path):
        yield from _folded(source.path, item, is_kept=kept.get(item.get("index")) == item)


def _items_of(cursor: Any, run_id: int, path: str) -> list[Any]:
    """The items of a batch; the pass under way of a `while`."""
    row = read_one(cursor, run_id, path)
    output = row[2] if row else None
    return (output.get("items") or [output]) if isinstance(output, dict) else []


def _folded(batch: str, item: Mapping[str, Json], *, is_kept: bool) -> Iterator[Occurred]:
    """The effects of one item: its list of writes when it has ended, with what its rows add."""
    rows = {row["path"]: row for row in item.get("steps") or ()}
    said = item.get("effects") or [row for row in rows.values() if row.get("effect") in WRITES]
    for one in said:
        row = rows.get(one["path"], {})
        error, reason = row.get("error") or {}, row.get("reason") or {}
        kind_of_reason = reason.get("type") if isinstance(reason, dict) else None
        yield Occurred(
            row=batch,
            path=one["path"],
            kind=row.get("kind", ""),
            effect=one["effect"],
            status=status_of(StepStatus[one["status"].upper()], kind_of_reason, error.get("type")),
            attempt=one["attempt"],
            is_kept=is_kept,
            error=error.get("message"),
            started_at=_instant(row.get("started_at")),
            finished_at=_instant(row.get("finished_at")),
        )


def status_of(status: StepStatus, reason_type: str | None, error_type: str | None) -> str:
    """How sure an effect is, from the row of its step."""
    if status is StepStatus.SUCCEEDED:
        return CONFIRMED
    if status is StepStatus.UNKNOWN or reason_type == "unknown" or error_type == "unknown_outcome":
        return UNKNOWN
    if status is StepStatus.CANCELLED and reason_type != "run_ended":
        return UNKNOWN  # given up in the middle of it
    return STARTED if status is StepStatus.STARTED else FAILED


def _under_way(live: Sequence[Live], steps: Mapping[str, StepDocument], known: set[str]) -> Iterator[Occurred]:
    """Writes that a worker is on now and that are not written ahead, because a repeat does no harm."""
    for one in live:
        step = steps.get(id_of(one.path))
        effect = declared_effect(step) if step else None
        if effect is not None and one.path not in known:
            at = datetime.fromtimestamp(one.started_at, UTC)
            yield Occurred(one.path, one.path, one.kind, effect, STARTED, one.attempt, started_at=at)


def declared_effect(step: StepDocument) -> str | None:
    """What a step writes outside, as far as its `with` as written says it; None when it writes nothing."""
    kind = all_kinds().get(step.uses or "")
    effect = effect_of(kind, step.config) if kind else Effect.PURE
    return effect.value if effect.is_write else None


def _told(found: Occurred, run_uid: str, step: StepDocument | None) -> EffectRow:
    return EffectRow(
        path=found.path,
        kind=found.kind or (step.uses if step else None) or "",
        effect=found.effect,
        status=found.status,
        attempt=found.attempt,
        is_kept=found.is_kept,
        key=None if found.is_kept else idempotency_key(idempotency_secret(), run_uid, found.path),
        has_key=None if step is None else sends_key(step),
        target=None if step is None else target_of(step),
        error=found.error,
        started_at=found.started_at,
        finished_at=found.finished_at,
    )


def sends_key(step: StepDocument) -> bool | None:
    """True when the target of a step is sent its key; None for an unknown kind."""
    kind = all_kinds().get(step.uses or "")
    return None if kind is None else idempotency_of(kind, step.config) is Idempotency.KEY


def target_of(step: StepDocument) -> str | None:
    """The other side in a few words: connection, method, host. What stands behind the host may be secret."""
    url = step.config.get("url")
    parts = [step.fields.get("connection"), step.config.get("method"), _host(url) if isinstance(url, str) else None]
    return " ".join(part for part in parts if isinstance(part, str) and part) or None


def _host(url: str) -> str | None:
    if "{{" in url:
        return None
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
