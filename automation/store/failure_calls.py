"""Runs that failed and whose version names a workflow to start then: taken once, by whichever worker ticks."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from automation.engine.status import RunStatus
from automation.store.payloads import BrokenPayload, whole

Json = Any
# How the handler's run stands among the runs called by the failed one. No step's path looks like this.
PATH = "settings.on_failure"

# `run_calls_on_failure` serves it. Rows that another worker holds are being handled there.
TAKE = """
select r.id, r.uid, r.workspace_id, r.workflow_id, w.name, v.number, v.definition #>> '{settings,on_failure}',
       r.status, r.depth, r.created_at, r.started_at, r.finished_at, r.created_by_id,
       (d.input -> 'inputs')::text, d.input_ref, d.error::text
from automation_run r
join automation_rundata d on d.run_id = r.id
join automation_workflow w on w.id = r.workflow_id
left join automation_workflowversion v on v.id = r.version_id
where r.status in (51, 53) and r.calls_on_failure order by r.id limit %s for no key update of r skip locked
"""

CLEAR = "update automation_run set calls_on_failure = false where id = %s"

SAY = """
insert into automation_runlog (run_id, seq, at, level, message)
select %(run)s, coalesce(max(seq), 0) + 1, now(), %(level)s, %(message)s from automation_runlog where run_id = %(run)s
"""


@dataclass(frozen=True, slots=True)
class FailedRun:
    """A run that failed or ran out of time. `handler` is the id or name that its version gives."""

    id: int
    uid: UUID
    workspace_id: UUID
    workflow_id: UUID
    workflow_name: str
    version: str | None
    handler: str | None
    status: RunStatus
    depth: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime
    created_by_id: UUID | None
    inputs: Json
    error: Json


_FIELDS = [field.name for field in fields(FailedRun)]
COLUMNS = (*_FIELDS[:-1], "input_ref", _FIELDS[-1])  # of TAKE, in its order


def take_failed(cursor: Any) -> FailedRun | None:
    """Lock the oldest failed run whose handler is still to be started; None when there is none."""
    cursor.execute(TAKE, (1,))
    row = cursor.fetchone()
    if row is None:
        return None
    found: dict[str, Any] = dict(zip(COLUMNS, row, strict=True))
    inputs, input_ref, error = found["inputs"], found.pop("input_ref"), found["error"]
    found["status"] = RunStatus(found["status"])
    found["inputs"] = _inputs(cursor, found["id"], inputs, input_ref)
    found["error"] = orjson.loads(error) if error else None
    return FailedRun(**found)


def clear(cursor: Any, run_id: int) -> None:
    """Note that nothing is left to be done for a failed run."""
    cursor.execute(CLEAR, (run_id,))


def say(cursor: Any, run_id: int, level: str, message: str) -> None:
    """Add a line to the log of a run that has ended."""
    cursor.execute(SAY, {"run": run_id, "level": level, "message": message})


def _inputs(cursor: Any, run_id: int, inputs: str | None, input_ref: str | None) -> Json:
    """The inputs of the failed run; null when they were damaged."""
    if input_ref is None:
        return orjson.loads(inputs) if inputs else None
    try:
        return whole(cursor, run_id, None, input_ref)["inputs"]
    except BrokenPayload:
        return None
