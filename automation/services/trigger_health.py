"""Health of triggers: does it still get something, does it run, what went wrong last and since when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import connection

from automation.engine.status import RunStatus
from automation.models import Trigger
from automation.models.arrival import ArrivalDecision
from automation.models.firing import FiringDecision
from automation.services import triggers
from automation.store import trigger_health as store
from automation.store.trigger_health import Facts
from automation.triggers import all_trigger_kinds
from automation.triggers.contract import Activity
from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission
from brainops.accounts.scoping import get_scoped
from brainops.core import clock

QUIET_AFTER = timedelta(days=7)
REFUSALS = frozenset({ArrivalDecision.REFUSED, ArrivalDecision.FAILED})
NOTHING = Activity()


class HealthState(StrEnum):
    """How a trigger is doing, in one word."""

    OK = "ok"
    FAILING = "failing"  # its source, its last arrival or its last run went wrong
    QUIET = "quiet"  # nothing has come for a week
    OFF = "off"  # the trigger or its workflow is switched off
    NEVER_RAN = "never_ran"  # nothing has come yet


@dataclass(frozen=True, slots=True)
class Trouble:
    """What went wrong last. `since` is when it began, as far as it is known."""

    code: str
    message: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class LastRun:
    """The newest run that is no test."""

    uid: UUID
    status: RunStatus
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Health:
    """How one trigger is doing. `counts` are of the last 24 hours, by decision; `next_at` is its next slot or look."""

    trigger: Trigger
    state: HealthState
    reason: str
    last_arrived_at: datetime | None = None
    last_run: LastRun | None = None
    trouble: Trouble | None = None
    waits: Trouble | None = None
    next_at: datetime | None = None
    last_looked_at: datetime | None = None
    is_looking: bool = False
    counts: Mapping[str, int] = field(default_factory=dict)


def get(caller: Caller, trigger_id: UUID | str) -> Health:
    """How one trigger is doing. Raises NotFound."""
    caller.require(Permission.TRIGGERS_READ)
    trigger = get_scoped(Trigger.objects.select_related("workflow"), caller, trigger_id)
    return many([trigger])[0]


def many(rows: Sequence[Trigger]) -> list[Health]:
    """How some triggers are doing, in their order; the number of queries does not grow with them.

    The rows were read with their workflows.
    """
    ids = [row.id for row in rows]
    if not ids:
        return []
    with connection.cursor() as cursor:
        facts = store.facts(cursor, ids)
        counted = _counts(cursor, ids)
    activities = _activities(rows)
    return [_health(row, facts[row.id], activities.get(row.id, NOTHING), counted.get(row.id, {})) for row in rows]


def in_state(caller: Caller, state: HealthState) -> list[UUID]:
    """The triggers of the caller's workspace that are doing so."""
    rows = triggers.find(caller).select_related("workflow").defer("workflow__definition", "workflow__meta_data")
    return [health.trigger.id for health in many(list(rows)) if health.state is state]


def _counts(cursor: Any, ids: list[UUID]) -> dict[UUID, dict[str, int]]:
    found: dict[UUID, dict[str, int]] = defaultdict(dict)
    for labels, counted in ((ArrivalDecision, store.arrived(cursor, ids)), (FiringDecision, store.fired(cursor, ids))):
        for trigger_id, counts in counted.items():
            found[trigger_id].update({str(labels(decision).label): count for decision, count in counts.items()})
    return found


def _activities(rows: Iterable[Trigger]) -> dict[UUID, Activity]:
    by_kind: dict[str, list[Trigger]] = defaultdict(list)
    for row in rows:
        by_kind[row.kind].append(row)
    found: dict[UUID, Activity] = {}
    for key, group in by_kind.items():
        kind = all_trigger_kinds().get(key)
        if kind is not None and kind.activity is not None:
            found.update(kind.activity(group))
    return found


def _health(row: Trigger, facts: Facts, activity: Activity, counts: Mapping[str, int]) -> Health:
    arrived = [at for at in (facts.arrived_at, facts.fired_at, activity.last_arrived_at) if at]
    last_arrived_at = max(arrived, default=None)
    last_run, trouble = _last_run(facts), _trouble(facts, activity)
    state, reason = _state(row, trouble, last_arrived_at, last_run)
    is_off = state is HealthState.OFF
    waits = Trouble("waits", facts.waits_for, facts.waits_since) if facts.waits_for else None
    return Health(
        trigger=row,
        state=state,
        reason=reason,
        last_arrived_at=last_arrived_at,
        last_run=last_run,
        trouble=trouble,
        waits=waits,
        next_at=None if is_off else row.next_fire_at or facts.looks_at,
        last_looked_at=facts.looked_at,
        is_looking=bool(facts.is_looking),
        counts={**counts, **activity.counts},
    )


def _state(
    row: Trigger, trouble: Trouble | None, arrived_at: datetime | None, last_run: LastRun | None
) -> tuple[HealthState, str]:
    workflow = row.workflow
    if not row.is_active:
        return HealthState.OFF, "The trigger is switched off."
    if not workflow.is_active or workflow.archived_at or workflow.current_version_id is None:
        return HealthState.OFF, "The workflow is switched off or archived."
    if trouble is not None:
        return HealthState.FAILING, trouble.message
    kind = all_trigger_kinds().get(row.kind)
    if kind is not None and kind.clock is not None and row.next_fire_at is None:
        return HealthState.QUIET, "No time of this schedule is still to come."
    if arrived_at is None and last_run is None:
        return HealthState.NEVER_RAN, "Nothing has come yet."
    is_clock = kind is not None and kind.clock is not None
    last = max(at for at in (arrived_at, last_run and last_run.created_at) if at)
    if not is_clock and clock.now() - last > QUIET_AFTER:
        return HealthState.QUIET, f"Nothing has come for {(clock.now() - last).days} days."
    return HealthState.OK, ""


def _trouble(facts: Facts, activity: Activity) -> Trouble | None:
    """The first that is wrong on the way from the source to the run."""
    if facts.error:
        return Trouble(facts.error_code or "source_failed", facts.error, facts.failing_since)
    if facts.alarm:
        said = "The workflow should have succeeded and has not." if facts.alarm == "success" else ""
        return Trouble("overdue", facts.alarm_reason or said or "It should have run and has not.", facts.alarm_since)
    if activity.error:
        return Trouble(activity.error_code or "refused", activity.error, activity.failing_since)
    if facts.arrival in REFUSALS:
        return Trouble("refused", facts.arrival_reason or "The last thing that came was refused.", facts.arrived_at)
    if facts.firing == FiringDecision.REFUSED:
        return Trouble("refused", facts.firing_reason or "The last slot was refused.", facts.fired_at)
    if facts.run_status in (RunStatus.FAILED, RunStatus.TIMED_OUT):
        said = f"The last run {RunStatus(facts.run_status).word.replace('_', ' ')}"
        message = f"{said}: {facts.run_error}" if facts.run_error else f"{said}."
        return Trouble("run_failed", message, facts.run_finished_at)
    return None


def _last_run(facts: Facts) -> LastRun | None:
    if facts.run_uid is None or facts.run_status is None or facts.run_created_at is None:
        return None
    return LastRun(facts.run_uid, RunStatus(facts.run_status), facts.run_created_at, facts.run_finished_at)
