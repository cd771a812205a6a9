"""Trials: what a trigger would do with something that came to it, or with data that somebody gives. Nothing is counted.

The condition and the inputs are judged exactly as when it comes. With `run` a test run is started: it is marked as a
test, counts in no statistics and tells nobody when it fails.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from django.db import transaction

from automation.models import Arrival, RunMode, Trigger
from automation.services import conditions, runs
from automation.services.arrival_samples import plain
from automation.services.arrivals import trigger_scope
from automation.services.conditions import Judged
from automation.services.runnable import Runnable, by_version
from automation.services.slot_scopes import slot_scope
from automation.triggers import all_trigger_kinds
from automation.triggers.contract import Item, Sample, TriggerKind
from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission
from brainops.accounts.scoping import get_scoped
from brainops.audit.services import record
from brainops.core import clock
from brainops.core.errors import Conflict, InvalidInput, NotFound, Problem

Json = Any
NOTHING = object()  # stands for data that nobody gives: null is data


@dataclass(frozen=True, slots=True)
class Trial:
    """What would become of a sample. `code` is condition_true where it would run, else why it would not."""

    sample: Sample
    inputs: Json
    judged: Judged
    code: str
    reason: str
    problems: list[Problem] = field(default_factory=list)
    run_uid: UUID | None = None

    @property
    def would_run(self) -> bool:
        """True when it would start a run now."""
        return self.code == conditions.HOLDS


def evaluate(caller: Caller, trigger_id: UUID | str, *, sample_id: UUID | None = None, data: Json = NOTHING) -> Trial:
    """Say what a trigger would do with the thing of an id, with given data, or with the newest thing that came.

    Raises NotFound, and Conflict (`no_sample`, `workflow_inactive`) when there is nothing to try it with.
    """
    caller.require(Permission.TRIGGERS_READ)
    caller.require(Permission.RUNS_READ)
    trigger = get_scoped(Trigger.objects.select_related("workflow"), caller, trigger_id)
    return _tried(trigger, _sample(trigger, sample_id, data))


def start(caller: Caller, trigger_id: UUID | str, *, sample_id: UUID | None = None, data: Json = NOTHING) -> Trial:
    """Evaluate, and start a test run whatever the condition says. Raises InvalidInput, Conflict, NotFound."""
    with transaction.atomic():
        trial = evaluate(caller, trigger_id, sample_id=sample_id, data=data)
        trigger = get_scoped(Trigger.objects.select_related("workflow"), caller, trigger_id)
        caller.require(Permission.RUNS_EXECUTE, created_by=trigger.workflow.owner_id)
        if trial.problems:
            raise InvalidInput.from_problems(trial.problems)
        if trial.sample.is_cut:
            said = "Only the beginning of this thing is kept, so no run can be given the whole. Send `data` instead."
            raise Conflict(said, code="sample_cut")
        started = runs.start(
            trigger.workflow_id,
            workspace_id=trigger.workspace_id,
            inputs=trial.inputs,
            trigger={**trial.sample.trigger, "is_test": True},
            trigger_id=trigger.id,
            created_by_id=caller.user_id,
            mode=RunMode.TEST,
        )
        _audit(caller, trigger, started.uid)
    return replace(trial, run_uid=started.uid)


def _tried(trigger: Trigger, sample: Sample) -> Trial:
    version = _version(trigger)
    given = sample.given if version.inputs.names and isinstance(sample.given, dict) else {}
    inputs = version.inputs.complete({**given, **trigger.inputs})
    variables = conditions.variables_for(trigger.workspace_id, trigger.condition)
    judged = conditions.judge(trigger.condition, inputs=inputs, trigger=sample.trigger, variables=variables)
    problems = _problems(version, inputs, sample)
    code, reason = judged.code, judged.reason
    if judged.holds and problems:
        code, reason = "refused", "; ".join(problem.message for problem in problems)
    elif judged.holds and (off := _off(trigger)):
        code, reason = "inactive", off
    return Trial(sample, inputs, judged, code, reason, problems)


def _version(trigger: Trigger) -> Runnable:
    if trigger.workflow.current_version_id is None:
        raise Conflict("The workflow has no version yet. Save it first.", code="workflow_inactive")
    return by_version(trigger.workflow.current_version_id)


def _problems(version: Runnable, inputs: Json, sample: Sample) -> list[Problem]:
    try:
        version.place(version.checked(inputs), sample.trigger)
    except InvalidInput as refusal:
        return list(refusal.problems)
    return []


def _off(trigger: Trigger) -> str:
    if not trigger.is_active:
        return "The trigger is switched off."
    if not trigger.workflow.is_active or trigger.workflow.archived_at:
        return "The workflow is switched off or archived."
    return ""


def _sample(trigger: Trigger, sample_id: UUID | None, data: Json) -> Sample:
    kind = all_trigger_kinds().get(trigger.kind)
    if kind is None:
        raise Conflict(f"There is no trigger kind {trigger.kind!r} in this release.", code="unknown_kind")
    if data is not NOTHING:
        return _given(kind, trigger, plain(data))
    found = _captured(kind, trigger, sample_id)
    if found is None and sample_id is not None:
        raise NotFound(f"Nothing of the id {sample_id} came to this trigger, or what came is not kept any more.")
    if found is None:
        said = "Nothing has come to this trigger yet, so there is no sample. Send `data` to try it with."
        raise Conflict(said, code="no_sample")
    return found


def _given(kind: TriggerKind, trigger: Trigger, data: Json) -> Sample:
    if kind.sampling is not None:
        return kind.sampling.given(trigger, data)
    if kind.clock is not None:
        return _slot(kind, trigger, data if isinstance(data, Mapping) else {})
    return Sample(trigger_scope(trigger.kind, trigger.id, Item("test", data)), data)


def _captured(kind: TriggerKind, trigger: Trigger, sample_id: UUID | None) -> Sample | None:
    if kind.sampling is not None:
        return kind.sampling.captured(trigger, sample_id)
    if kind.clock is not None:
        return None if sample_id else _slot(kind, trigger, {})
    rows = Arrival.objects.filter(trigger=trigger, data__isnull=False)
    row = rows.filter(id=sample_id).first() if sample_id else rows.order_by("-created_at", "-id").first()
    if row is None:
        return None
    item = Item(row.key, row.data, row.at, facts=row.facts or {})
    seen = trigger_scope(trigger.kind, trigger.id, item, received_at=row.created_at)
    return Sample(seen, row.data, row.id, row.created_at, row.is_cut)


def _slot(kind: TriggerKind, trigger: Trigger, facts: Mapping[str, Json]) -> Sample:
    """The next slot of a schedule, or the one that is given."""
    assert kind.clock is not None  # noqa: S101 - asked before
    slot = kind.clock.next_after(trigger.config, clock.now()) or clock.now()
    return Sample({**slot_scope(trigger.kind, trigger.id, trigger.config, slot, None), **facts}, at=slot)


def _audit(caller: Caller, trigger: Trigger, run_uid: UUID) -> None:
    record(
        actor=caller,
        workspace_id=trigger.workspace_id,
        action="trigger.test",
        target_kind="trigger",
        target_id=trigger.id,
        summary=f"Started test run {run_uid} of the {trigger.kind} trigger.",
    )
