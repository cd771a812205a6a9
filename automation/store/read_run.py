"""Read one run as its page shows it. JSON columns come as text and go out as they are, never through Python values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from automation.store.prepared import PreparedStatement

# Subselects instead of joins: planning six joined tables took longer than everything else (1.0 against 0.24 ms).
# The steps its worker is on right now stand in the worker's last heartbeat.
HEAD = """
select r.id, r.uid, r.workflow_id, (select name from automation_workflow where id = r.workflow_id),
       r.version_id, (select number from automation_workflowversion where id = r.version_id),
       r.status, r.mode, r.trigger_id, r.created_by_id,
       (select uid from automation_run where id = r.parent_run_id),
       (select uid from automation_run where id = r.called_by_run_id), r.called_by_path, r.depth,
       r.attempt, r.crashes, r.wait_kind, r.wake_at, r.deadline_at, r.cancel_requested_at,
       r.created_at, r.started_at, r.finished_at, statement_timestamp(),
       r.queue, r.priority, r.limit_key, r.is_pinned, r.has_children,
       (d.input -> 'inputs')::text, (d.input -> 'trigger')::text, d.output::text, d.error::text, d.response::text,
       (select jsonb_agg(b)::text from automation_worker k, jsonb_array_elements(k.busy) b
        where k.id = r.worker_id and b ->> 'run' = r.uid::text), d.input_ref, d.output_ref
from automation_run r join automation_rundata d on d.run_id = r.id
where r.uid = %(uid)s and r.workspace_id = %(workspace)s
"""
_HEAD = PreparedStatement("run_head", HEAD, {"uid": "uuid", "workspace": "uuid"})

# Batches of loops are read apart (`read_items.py`): a loop may have a thousand of them. What an open container (8)
# keeps in its output is for the engine: it has none yet.
STEPS = """
select path, kind, status, attempt, is_kept, port, effect,
       case when status <> 8 then left(output::text, %(longest)s) end, reason::text, error::text, until, started_at,
       finished_at, output_ref
from automation_steprun where run_id = %(run)s and kind <> 'for_each.batch'
order by coalesce(started_at, finished_at), path limit %(limit)s
"""
_STEPS = PreparedStatement("run_steps", STEPS, {"longest": "integer", "run": "bigint", "limit": "bigint"})

LINES = """
select seq, at, level, path, attempt, message, fields::text
from automation_runlog where run_id = %(run)s order by seq limit %(limit)s
"""
_LINES = PreparedStatement("run_lines", LINES, {"run": "bigint", "limit": "bigint"})

ALL_OF_IT = 2**31 - 1  # characters; more than a JSON column can hold

FIND = "select id from automation_run where uid = %s and workspace_id = %s"


@dataclass(frozen=True, slots=True)
class Head:
    """A run without its steps and logs. The JSON columns and `busy` are JSON text or None; `now` is the database's."""

    id: int
    uid: UUID
    workflow_id: UUID
    workflow_name: str
    version_id: UUID
    number: str
    status: int
    mode: int
    trigger_id: UUID | None
    created_by_id: UUID | None
    parent_uid: UUID | None
    called_by_uid: UUID | None
    called_by_path: str | None
    depth: int
    attempt: int
    crashes: int
    wait_kind: int | None
    wake_at: datetime | None
    deadline_at: datetime | None
    cancel_requested_at: datetime | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    now: datetime
    queue: str
    priority: int
    limit_key: str | None
    is_pinned: bool
    has_children: bool
    inputs: str | None
    trigger: str | None
    output: str | None
    error: str | None
    response: str | None
    busy: str | None
    input_ref: str | None  # checksums of the payloads that hold the whole input and output
    output_ref: str | None


class StepRow(NamedTuple):
    """A step row as its page shows it. `output`, `reason` and `error` are JSON text or None."""

    path: str
    kind: str
    status: int
    attempt: int
    is_kept: bool
    port: str | None
    effect: str | None
    output: str | None
    reason: str | None
    error: str | None
    until: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    output_ref: str | None = None  # checksum of the payload that holds the whole output


def read_head(cursor: Any, uid: UUID, *, workspace_id: UUID) -> Head | None:
    """The run `uid` of a workspace; None when there is none."""
    _HEAD.run(cursor, {"uid": uid, "workspace": workspace_id})
    row = cursor.fetchone()
    return Head(*row) if row else None


def read_steps(cursor: Any, run_id: int, *, limit: int, longest: int = ALL_OF_IT) -> list[StepRow]:
    """The first `limit` step rows in the order they began; outputs are cut after `longest` characters."""
    _STEPS.run(cursor, {"longest": longest, "run": run_id, "limit": limit})
    return [StepRow._make(row) for row in cursor.fetchall()]


def read_lines(cursor: Any, run_id: int, *, limit: int) -> list[tuple[Any, ...]]:
    """The first `limit` log lines."""
    _LINES.run(cursor, {"run": run_id, "limit": limit})
    rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def find_run(cursor: Any, uid: UUID, *, workspace_id: UUID) -> int | None:
    """The inner id of a run of a workspace."""
    cursor.execute(FIND, (uid, workspace_id))
    row = cursor.fetchone()
    return row[0] if row else None
