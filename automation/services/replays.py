"""Replays: many runs or deliveries repeated, at a bounded pace. `replays_due` starts them; here they are ordered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from automation.models import Replay, ReplayItem, ReplayState, Run
from automation.services import retry_preview
from automation.services.replay_people import remember
from automation.services.replay_selection import Selected, Wanted, select
from automation.services.replay_sources import RUNS, repeaters
from automation.services.retries import Repeat
from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission
from brainops.accounts.scoping import get_scoped, scoped
from brainops.audit.services import record
from brainops.core.errors import AppError, Conflict

DEFAULT_PER_MINUTE, MOST_PER_MINUTE = 600, 3000
LOOKED_AT = 200  # runs that a preview plans one by one; of more it plans the first
DENIED = {"code": "permission_denied", "message": "You may not repeat runs of this workflow."}


@dataclass(frozen=True, slots=True)
class Order:
    """What to replay and how. `repeat` is what a single retry takes."""

    wanted: Wanted
    repeat: Repeat = field(default_factory=Repeat)
    per_minute: int = DEFAULT_PER_MINUTE


@dataclass(frozen=True, slots=True)
class ReplayPreview:
    """What a replay would do: of `runs`, `looked_at` were planned. `refused` counts those by code.

    `repeats` counts effects that would happen a second time, `firsts` writes that would come for the first time, both
    by effect and in what was looked at.
    """

    runs: int
    looked_at: int
    refused: Mapping[str, int]
    kept_steps: int
    repeats: Mapping[str, int]
    firsts: Mapping[str, int]

    @property
    def is_sample(self) -> bool:
        """True when there are more runs than were looked at."""
        return self.looked_at < self.runs


def preview(caller: Caller, order: Order) -> ReplayPreview:
    """Plan a replay and start nothing. Raises InvalidInput and PermissionDenied as `start` does."""
    selected = select(caller, order.wanted)
    uids = Run.objects.filter(id__in=selected.allowed[:LOOKED_AT]).order_by("id").values_list("uid", flat=True)
    refused: Counter[str] = Counter({DENIED["code"]: len(selected.denied)} if selected.denied else {})
    repeats: Counter[str] = Counter()
    firsts: Counter[str] = Counter()
    kept_steps = 0
    for uid in uids:
        try:
            planned = retry_preview.preview(caller, uid, order.repeat)
        except AppError as refusal:
            refused[refusal.code] += 1
            continue
        kept_steps += len(planned.kept)
        repeats.update(planned.repeats)
        firsts.update(effect.effect for effect in planned.effects if not effect.has_happened)
    looked_at = len(uids) + len(selected.denied)
    return ReplayPreview(len(selected.ids), looked_at, dict(refused), kept_steps, dict(repeats), dict(firsts))


def start(caller: Caller, order: Order) -> Replay:
    """Order a replay: a row for each run, nothing is started yet.

    Raises InvalidInput for unknown ids, no runs or more than the limit; PermissionDenied when the caller may repeat
    none of them. A run that it may not repeat becomes a refused item.
    """
    selected = select(caller, order.wanted)
    with transaction.atomic():
        replay = _create(
            caller, RUNS, order.repeat, order.per_minute, total=len(selected.ids), refused=len(selected.denied)
        )
        ReplayItem.objects.bulk_create(_items(replay, selected), batch_size=1000)
        _record(caller, replay, "replay.start", f"Ordered a replay of {replay.total} runs.")
    replay.refresh_from_db()
    return replay


def start_of(caller: Caller, source: str, subject_ids: Sequence[UUID], repeat: Repeat, *, per_minute: int) -> Replay:
    """Order a replay of things of another source, in the order given; whether the caller may is asked before.

    Raises LookupError for a source that nobody has registered.
    """
    repeaters.get(source)
    with transaction.atomic():
        replay = _create(caller, source, repeat, per_minute, total=len(subject_ids))
        items = [ReplayItem(replay=replay, subject_id=id_) for id_ in subject_ids]
        ReplayItem.objects.bulk_create(items, batch_size=1000)
        _record(caller, replay, "replay.start", f"Ordered a replay of {replay.total} {source.replace('_', ' ')}.")
    replay.refresh_from_db()
    return replay


def cancel(caller: Caller, id_: UUID | str) -> Replay:
    """Start no further run of a replay; those it started go on. Raises NotFound, Conflict (`replay_is_over`)."""
    with transaction.atomic():
        replay = get_scoped(Replay.objects.select_for_update(), caller, id_)
        caller.require(Permission.RUNS_RETRY, created_by=replay.created_by_id)
        if replay.state != ReplayState.RUNNING:
            raise Conflict(f"The replay is {replay.state} already.", code="replay_is_over")
        Replay.objects.filter(id=replay.id).update(state=ReplayState.CANCELLED, finished_at=Now())
        _record(caller, replay, "replay.cancel", f"Cancelled a replay after {replay.started} of {replay.total} runs.")
    replay.refresh_from_db()
    return replay


def visible(caller: Caller) -> QuerySet[Replay]:
    """The replays of the caller's workspace."""
    caller.require(Permission.RUNS_READ)
    return scoped(Replay.objects.all(), caller)


def items(caller: Caller, id_: UUID | str, *, status: str | None = None) -> QuerySet[ReplayItem]:
    """The runs of a replay with what became of them, to page through by id. Raises NotFound.

    `status` is started, refused or waiting (what a cancelled replay never came to stays waiting).
    """
    replay = get_scoped(visible(caller), caller, id_)
    rows = ReplayItem.objects.filter(replay=replay).select_related("run", "new_run")
    if status == "waiting":
        return rows.filter(is_done=False)
    return rows if status is None else rows.filter(is_done=True, error__isnull=status == "started")


def _create(caller: Caller, source: str, repeat: Repeat, per_minute: int, *, total: int, refused: int = 0) -> Replay:
    return Replay.objects.create(
        workspace_id=caller.workspace(),
        created_by_id=caller.user_id,
        source=source,
        options=_options(caller, repeat),
        per_minute=per_minute,
        total=total,
        refused=refused,
    )


def _options(caller: Caller, repeat: Repeat) -> dict[str, Any]:
    said: dict[str, Any] = {"from": repeat.origin, "version": repeat.version, "by": remember(caller)}
    return said if repeat.inputs is None else {**said, "inputs": repeat.inputs}


def _items(replay: Replay, selected: Selected) -> list[ReplayItem]:
    return [
        ReplayItem(
            replay=replay,
            run_id=id_,
            is_done=id_ in selected.denied,
            error=DENIED if id_ in selected.denied else None,
        )
        for id_ in selected.ids
    ]


def _record(caller: Caller, replay: Replay, action: str, summary: str) -> None:
    record(
        actor=caller,
        workspace_id=replay.workspace_id,
        action=action,
        target_kind="replay",
        target_id=replay.id,
        summary=summary,
    )
