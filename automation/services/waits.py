"""What a run waits for: each of its waiting steps, the limit that holds it back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import connection

from automation.engine.status import RunStatus, StepStatus, WaitKind
from automation.models import Approval, ApprovalState, Run
from automation.services import limit_reading
from automation.store.read_items import read_folded_waits
from automation.store.read_run import Head, StepRow

TIMER, RETRY, APPROVAL, SIGNAL, CHILD, UNKNOWN = "timer", "retry", "approval", "signal", "child", "unknown"
# of the run itself: its limit is full, its debounce gathers further starts, no worker has taken it yet
TYPES = (TIMER, RETRY, APPROVAL, SIGNAL, CHILD, UNKNOWN, limit_reading.LIMIT, limit_reading.QUIET, limit_reading.QUEUE)
MOST_FOLDED = 50  # waits inside loops that are told
ASKING = (APPROVAL, UNKNOWN)


@dataclass(frozen=True, slots=True)
class Waited:
    """What one step waits for, or the whole run (`path` is ""). `type` is one of TYPES; UNKNOWN asks after an effect.

    `until` is when it goes on in any case. `details` is what the step says of it.
    """

    path: str
    type: str
    until: datetime | None
    details: dict[str, Any]
    approval_id: UUID | None = None
    title: str | None = None
    signal: str | None = None
    run_id: UUID | None = None  # of the called run


def of_run(head: Head, steps: Sequence[StepRow]) -> tuple[Waited, ...]:
    """What the waiting steps of a run wait for; no query unless one of them waits for people or another run."""
    if RunStatus(head.status).is_final:
        return ()
    why = limit_reading.why(head)
    whole = [Waited("", why.type, why.until, why.details)] if why else []
    if head.status == RunStatus.BLOCKED:
        return tuple(whole)
    resting = [row for row in steps if row.status in (StepStatus.WAITING, StepStatus.RETRYING)]
    found = whole + [_waited(row.path, row.status, row.reason, row.error, row.until, row.attempt) for row in resting]
    if any(row.status == StepStatus.OPEN for row in steps):
        found += _inside_loops(head.id)
    may_be_deeper = head.status == RunStatus.WAITING and head.wait_kind in (WaitKind.APPROVAL, None)
    is_asked = may_be_deeper or any(waited.type in ASKING for waited in found)
    return tuple(_with_children(head.id, _with_approvals(head.id, found) if is_asked else found))


def _inside_loops(run_id: int) -> list[Waited]:
    with connection.cursor() as cursor:
        rows = read_folded_waits(cursor, run_id, limit=MOST_FOLDED)
    return [_waited(path, StepStatus[word.upper()], *rest) for path, word, *rest in rows]


def _waited(
    path: str, status: int, reason: str | None, error: str | None, until: datetime | None, attempt: int
) -> Waited:
    if status == StepStatus.RETRYING:
        return Waited(path, RETRY, until, {"error": orjson.loads(error) if error else None, "attempt": attempt})
    said = orjson.loads(reason) if reason else None
    details = dict(said) if isinstance(said, dict) else {}
    type_ = details.pop("type", TIMER)
    details.pop("url", None)  # whoever has it may answer: it is for the one it was sent to
    name = details.get("name") if type_ == SIGNAL else None
    return Waited(path, type_ if type_ in TYPES else TIMER, until, details, signal=name)


def _with_approvals(run_id: int, found: list[Waited]) -> list[Waited]:
    """The waits with their approvals; one whose row is not at hand (deep in a large loop) is told from the approval."""
    pending = Approval.objects.filter(run_id=run_id, state=ApprovalState.PENDING).order_by("created_at")
    asked = {approval.path: approval for approval in pending.only("path", "title", "kind", "expires_at")[:MOST_FOLDED]}
    named = []
    for waited in found:
        approval = asked.pop(waited.path, None) if waited.type in ASKING else None
        named.append(waited if approval is None else replace(waited, approval_id=approval.id, title=approval.title))
    rest = (
        Waited(path, one.kind, one.expires_at, {}, approval_id=one.id, title=one.title) for path, one in asked.items()
    )
    return [*named, *rest]


def _with_children(run_id: int, found: Iterable[Waited]) -> list[Waited]:
    waiting = list(found)
    paths = [waited.path for waited in waiting if waited.type == CHILD]
    if not paths:
        return waiting
    rows = Run.objects.filter(called_by_run_id=run_id, called_by_path__in=paths)
    called = dict(rows.values_list("called_by_path", "uid"))
    return [replace(waited, run_id=called.get(waited.path)) if waited.type == CHILD else waited for waited in waiting]
