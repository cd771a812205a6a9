"""Arrivals: take things that were found or brought, each once, and say what became of every one of them.

Everything stands or falls with the caller's transaction: the ledger, the runs, and whatever the caller writes itself (a
cursor, an acknowledgement). Killed anywhere in between, nothing happened and the same things are brought again.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import connection

from automation.engine.points import reach
from automation.models import RunMode
from automation.models.arrival import WAITING, ArrivalDecision
from automation.services import conditions, run_quota
from automation.services.arrival_samples import plain, sample_of, storable
from automation.services.quotas import BEYOND_QUOTA
from automation.services.runnable import Runnable, by_version
from automation.store import arrivals as store
from automation.store.arrivals import Brought, Decided, Listening
from automation.store.intake import NewRun, insert_run
from automation.store.limits import LimitFull
from automation.triggers.contract import Item
from brainops.core import clock
from brainops.core.errors import AppError, Conflict
from brainops.core.ordered_ids import new_ordered_id

Json = Any

LONGEST_KEY = 500  # characters; a longer key is known by its hash
FORGOTTEN_AT_ONCE = 5_000  # rows of one statement
FORGETTING_SECONDS = 5.0  # of one sweep
KEEP_DAYS = 30  # of the ledger, since a thing was last shown: as long, no repeat starts a run
SAMPLE_DAYS = 7  # of the data in it

listening = store.listening


@dataclass(frozen=True, slots=True)
class Arrived:
    """What became of one thing. `is_new`: this call decided it; else somebody had brought it before.

    `waits`: it was not taken because a limit or the quota is full; bring it again.
    """

    key: str
    decision: ArrivalDecision
    run_uid: UUID | None = None
    reason: str = ""
    is_new: bool = True

    @property
    def waits(self) -> bool:
        """True when it is still to be decided."""
        return self.decision in WAITING


def take(
    cursor: Any,
    listening: Listening,
    items: Sequence[Item],
    *,
    trigger_facts: Mapping[str, Json] | None = None,
    skip: bool = False,
) -> list[Arrived]:
    """Decide about things brought to a trigger, in their order; start a run for each that is new and fits.

    `listening` comes from the function of that name, in the same transaction. `trigger_facts` are further members of
    the run's `trigger`. `skip`: they are only remembered. The caller rings the bell after its commit.
    """
    items = list({ledger_key(item.key): item for item in items}.values())
    if not items:
        return []
    ids = sorted(new_ordered_id() for _ in items)
    brought = [_brought(id_, item, trigger_facts or {}) for id_, item in zip(ids, items, strict=True)]
    claimed = store.claim(cursor, listening, brought)
    reach("in_take")
    desk = None if skip or not listening.may_run else _Desk(cursor, listening, trigger_facts or {})
    decided = {}
    for item in items:
        if (key := ledger_key(item.key)) in claimed:
            decided[key] = desk.decide(key, item) if desk else _unasked(key, skip=skip)
    store.decide(cursor, listening.trigger_id, list(decided.values()))
    others = [key for item in items if (key := ledger_key(item.key)) not in decided]
    before = store.known(cursor, listening.trigger_id, others) if others else {}
    store.note_shown(cursor, listening.trigger_id, others)
    return [
        _arrived(decided.get(key) or before[key], is_new=key in decided)
        for item in items
        if (key := ledger_key(item.key)) in decided or key in before
    ]


def seen(cursor: Any, trigger_id: UUID, keys: Collection[str]) -> set[str]:
    """Those of the keys that were decided; they are remembered for as long as somebody asks for them."""
    by_ledger = {ledger_key(key): key for key in keys}
    found = store.known(cursor, trigger_id, list(by_ledger))
    store.note_shown(cursor, trigger_id, list(found))
    return {by_ledger[key] for key, one in found.items() if one.decision not in WAITING}


def ledger_key(key: str) -> str:
    """The key as the ledger writes it."""
    key = key.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
    if len(key) <= LONGEST_KEY:
        return key
    return f"sha256-{hashlib.sha256(key.encode()).hexdigest()}"


def trigger_scope(
    kind: str,
    trigger_id: UUID,
    item: Item,
    *,
    facts: Mapping[str, Json] | None = None,
    received_at: datetime | None = None,
) -> dict[str, Json]:
    """What a run that an item starts sees as `trigger`."""
    at = {"at": item.at.isoformat()} if item.at else {}
    known = {"kind": kind, "trigger_id": str(trigger_id), "key": item.key, "item": item.data, **at}
    received_at = received_at or clock.now()
    return {**known, "received_at": received_at.isoformat(), **plain({**item.facts, **(facts or {})})}


def inputs_of(version: Runnable, listening: Listening, data: Json) -> dict[str, Json]:
    """The inputs of a run: the item's fields when the workflow declares inputs, under the trigger's fixed ones.

    Completed with defaults, and not checked yet.
    """
    given = data if version.inputs.names and isinstance(data, dict) else {}
    completed: dict[str, Json] = version.inputs.complete({**given, **listening.inputs})
    return completed


def forget_old() -> int:
    """Delete what the ledger need not remember any more, for some seconds at most; return how many rows went."""
    gone, ends = 0, time.monotonic() + FORGETTING_SECONDS
    with connection.cursor() as cursor:
        while store.forget_samples(cursor, days=SAMPLE_DAYS, most=FORGOTTEN_AT_ONCE) == FORGOTTEN_AT_ONCE:
            if time.monotonic() > ends:
                break
        while (count := store.prune(cursor, days=KEEP_DAYS, most=FORGOTTEN_AT_ONCE)) == FORGOTTEN_AT_ONCE:
            gone += count
            if time.monotonic() > ends:
                return gone
    return gone + count


class _Desk:
    """Decides about the new items of one trigger, one after the other."""

    def __init__(self, cursor: Any, listening: Listening, facts: Mapping[str, Json]) -> None:
        self._cursor = cursor
        self._listening = listening
        self._facts = facts
        self._variables = conditions.variables_for(listening.workspace_id, listening.condition)

    def decide(self, key: str, item: Item) -> Decided:
        """Start a run of it, or say why not."""
        if item.refused:
            return Decided(key, ArrivalDecision.REFUSED, reason=item.refused)
        try:
            return self._decide(key, storable(item))
        except LimitFull as full:
            decision = ArrivalDecision.LEFT_OUT if full.is_skip else ArrivalDecision.FULL
            return Decided(key, decision, reason=str(full))
        except BEYOND_QUOTA as error:
            return Decided(key, ArrivalDecision.OVER_QUOTA, reason=error.message)
        except AppError as refusal:
            return Decided(key, ArrivalDecision.REFUSED, reason=refusal.message)

    def _decide(self, key: str, item: Item) -> Decided:
        listening = self._listening
        version = version_of(listening)
        trigger = trigger_scope(listening.kind, listening.trigger_id, item, facts=self._facts)
        inputs = inputs_of(version, listening, item.data)
        judged = conditions.judge(listening.condition, inputs=inputs, trigger=trigger, variables=self._variables)
        if not judged.holds:
            decision = ArrivalDecision.FAILED if judged.code == conditions.FAILED else ArrivalDecision.CONDITION
            return Decided(key, decision, reason=judged.reason, operands=judged.operands)
        run = new_run(version, listening, version.checked(inputs), trigger, key=key)
        with run_quota.place(listening.workspace_id) as place:
            accepted = insert_run(self._cursor, run)
            place.is_used = not accepted.is_duplicate
        return Decided(key, ArrivalDecision.RAN, accepted.uid)


def version_of(listening: Listening) -> Runnable:
    """The version that its runs are of. Raises Conflict when there is none, or when this release cannot run it."""
    if listening.version_id is None:
        raise Conflict("The workflow has no version yet. Save it first.", code="workflow_inactive")
    return by_version(listening.version_id)


def new_run(
    version: Runnable, listening: Listening, inputs: Json, trigger: Json, *, key: str | None, mode: int = RunMode.ASYNC
) -> NewRun:
    """The run of a thing with checked inputs. Raises InvalidInput when the key of a limit cannot be told."""
    place = version.place(inputs, trigger)
    return NewRun(
        workspace_id=listening.workspace_id,
        workflow_id=listening.workflow_id,
        version_id=version.version_id,
        inputs=inputs,
        trigger=trigger,
        trigger_id=listening.trigger_id,
        mode=mode,
        dedupe_key=None if key is None else f"item:{listening.trigger_id}:{key}",
        deadline_seconds=version.deadline_seconds,
        calls_on_failure=version.calls_on_failure,
        queue=place.queue,
        priority=place.priority,
        slot=place.slot,
        gathering=place.gathering,
    )


def _unasked(key: str, *, skip: bool) -> Decided:
    if skip:
        return Decided(key, ArrivalDecision.SKIPPED, reason="It was there before the trigger.")
    return Decided(key, ArrivalDecision.INACTIVE, reason="The trigger or its workflow is switched off.")


def _brought(id_: UUID, item: Item, facts: Mapping[str, Json]) -> Brought:
    sample, others = sample_of(item.data), sample_of({**item.facts, **facts} or None)
    handle = None if item.handle is None else orjson.dumps(item.handle).decode()
    is_cut = sample.is_cut or others.is_cut
    return Brought(id_, ledger_key(item.key), sample.text, is_cut, handle, item.at, others.text)


def _arrived(decided: Decided, *, is_new: bool) -> Arrived:
    return Arrived(decided.key, ArrivalDecision(decided.decision), decided.run_uid, decided.reason, is_new)
