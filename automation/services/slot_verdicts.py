"""What one due trigger does now, and what it leaves out because its runs would overlap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from automation.models.firing import FiringDecision
from automation.store.firings import Advance, Decided, Living, living_runs
from automation.store.intake import NewRun
from automation.store.queued_slots import count_queued
from automation.triggers.contract import Overlap

At = tuple[UUID, datetime]  # a trigger and one of its slots


@dataclass(slots=True)
class Verdict:
    """Decisions about slots, where the trigger goes on, the runs to start, and those to cancel for them."""

    decided: list[Decided]
    advance: Advance
    runs: dict[At, NewRun] = field(default_factory=dict)
    overlap: Overlap = Overlap.ALLOW
    queue_limit: int = 1
    overtaken: list[int] = field(default_factory=list)


def keep_apart(cursor: Any, verdicts: Sequence[Verdict]) -> None:
    """Leave out slots, or mark runs as overtaken, where a trigger's runs must not overlap.

    The triggers are locked, so nobody else starts a run of theirs between this look and the commit.
    """
    careful = {v.advance.trigger_id: v for v in verdicts if v.runs and v.overlap is not Overlap.ALLOW}
    if not careful:
        return
    living = living_runs(cursor, list(careful))
    queueing = [trigger_id for trigger_id, verdict in careful.items() if verdict.overlap is Overlap.QUEUE]
    queued = count_queued(cursor, queueing) if queueing else {}
    for trigger_id, verdict in careful.items():
        if verdict.overlap is Overlap.QUEUE:
            _queue(verdict, living.get(trigger_id, []), queued.get(trigger_id, 0))
        else:
            _settle(verdict, living.get(trigger_id, []))


def _settle(verdict: Verdict, living: list[Living]) -> None:
    slots = sorted(verdict.runs)
    if verdict.overlap is Overlap.CANCEL_OLD:
        _leave_out(verdict, dict.fromkeys(slots[:-1], "A later slot came due with it."))
        if living:
            verdict.overtaken = [run.id for run in living]
            _say(verdict, {slots[-1]: f"Cancelled run {living[0].uid}, which was still under way."})
    elif living:
        _leave_out(verdict, dict.fromkeys(slots, f"Run {living[0].uid} is still under way."))
    else:
        _leave_out(verdict, dict.fromkeys(slots[1:], "The run of an earlier slot starts with it."))


def _queue(verdict: Verdict, living: list[Living], queued: int) -> None:
    """Let slots wait behind what is under way and what waits already, as many as may."""
    slots = sorted(verdict.runs)
    behind = slots if living or queued else slots[1:]
    room = max(0, verdict.queue_limit - queued)
    before = f"run {living[0].uid}" if living else "the run of an earlier slot"
    _leave_out(verdict, dict.fromkeys(behind[:room], f"Waits for {before}."), decision=FiringDecision.QUEUED)
    said = f"{verdict.queue_limit} slots wait already, the most that may."
    _leave_out(verdict, dict.fromkeys(behind[room:], said), decision=FiringDecision.OVERFLOW)


def _leave_out(verdict: Verdict, reasons: Mapping[At, str], *, decision: int = FiringDecision.OVERLAP) -> None:
    for at in reasons:
        del verdict.runs[at]
    _say(verdict, reasons, decision=decision)


def _say(verdict: Verdict, reasons: Mapping[At, str], *, decision: int = FiringDecision.RAN) -> None:
    verdict.decided = [
        replace(row, decision=decision, reason=reasons[at]) if (at := (row.trigger_id, row.slot)) in reasons else row
        for row in verdict.decided
    ]
