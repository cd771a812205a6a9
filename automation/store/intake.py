"""Insert a run: the row and its payload in one statement, at most one per dedupe key.

S1 of the hot path. Runs on the caller's cursor, so it can share a transaction (a webhook event, a firing, an
idempotency key) with what accepted the run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings

from automation.store.payloads import PREVIEW_CHARACTERS, packed, preview
from automation.store.prepared import PreparedStatement

SMALL_DATA = """
), new_data as (
  insert into automation_rundata (run_id, input) select id, %(run_input)s::jsonb from new_run
)
"""
# A piece other statements embed, executed by `insert`: parameters are prefixed run_ and named.
NEW_RUN = (
    """
new_run as (
  insert into automation_run (workspace_id, workflow_id, version_id, trigger_id, created_by_id, mode, queue, priority,
                              dedupe_key, parent_run_id, deadline_at, called_by_run_id, called_by_path, is_detached,
                              depth, calls_on_failure)
  select %(run_workspace_id)s, %(run_workflow_id)s, %(run_version_id)s, %(run_trigger_id)s, %(run_created_by_id)s,
         %(run_mode)s, %(run_queue)s, %(run_priority)s, %(run_dedupe_key)s, %(run_parent_run_id)s,
         now() + make_interval(secs => %(run_deadline_seconds)s),
         %(run_called_by_run_id)s, %(run_called_by_path)s, %(run_is_detached)s, %(run_depth)s, %(run_calls_on_failure)s
  {guard}
  on conflict (workflow_id, dedupe_key) where dedupe_key is not null do nothing
  returning id, uid
"""
    + SMALL_DATA
)
# Instead of SMALL_DATA, for an input too large for its row.
LARGE_DATA = """
), new_data as (
  insert into automation_rundata (run_id, input, input_ref)
  select id, %(run_input)s::jsonb, %(run_input_ref)s from new_run
), new_payload as (
  insert into automation_payload (run_id, sha256, size, codec, data)
  select id, %(run_input_ref)s, %(run_input_size)s, 'zlib', %(run_input_data)s from new_run
)
"""

# their types, for prepared statements (`store/prepared.py`)
RUN_TYPES = {
    **dict.fromkeys(("run_workspace_id", "run_workflow_id", "run_version_id", "run_trigger_id"), "uuid"),
    "run_created_by_id": "uuid",
    **dict.fromkeys(("run_mode", "run_priority", "run_depth"), "smallint"),
    **dict.fromkeys(("run_queue", "run_dedupe_key", "run_input", "run_called_by_path"), "text"),
    **dict.fromkeys(("run_parent_run_id", "run_called_by_run_id"), "bigint"),
    **dict.fromkeys(("run_is_detached", "run_calls_on_failure"), "boolean"),
    "run_deadline_seconds": "float8",
}

INSERT = "with " + NEW_RUN.format(guard="") + "select id, uid from new_run"

LARGE_INSERT = INSERT.replace(SMALL_DATA, LARGE_DATA)

FIND_DUPLICATE = "select id, uid from automation_run where workflow_id = %s and dedupe_key = %s"


@dataclass(frozen=True, slots=True)
class CalledBy:
    """The step that calls a run, and waits for it unless `is_detached`. `depth` counts the calls above the new run."""

    run_id: int
    path: str
    depth: int
    is_detached: bool = False


@dataclass(frozen=True, slots=True)
class NewRun:
    """What a new run is made of.

    `inputs` are the checked inputs, `trigger` what the trigger saw (both plain JSON). `deadline_seconds` counts
    from now on the database's clock; None for no limit. `dedupe_key` is prefixed: `cron:`, `hook:<endpoint>:`,
    `key:<caller>:`. `calls_on_failure`: its version names a workflow to start when it fails.
    """

    workspace_id: UUID
    workflow_id: UUID
    version_id: UUID
    inputs: Any
    trigger: Any = None
    trigger_id: UUID | None = None
    created_by_id: UUID | None = None
    mode: int = 1
    queue: str = "default"
    priority: int = 5
    dedupe_key: str | None = None
    parent_run_id: int | None = None
    deadline_seconds: float | None = None
    called_by: CalledBy | None = None
    calls_on_failure: bool = False

    def parameters(self) -> dict[str, Any]:
        """The named parameters of NEW_RUN."""
        return {
            "run_workspace_id": self.workspace_id,
            "run_workflow_id": self.workflow_id,
            "run_version_id": self.version_id,
            "run_trigger_id": self.trigger_id,
            "run_created_by_id": self.created_by_id,
            "run_mode": self.mode,
            "run_queue": self.queue,
            "run_priority": self.priority,
            "run_dedupe_key": self.dedupe_key,
            "run_parent_run_id": self.parent_run_id,
            "run_deadline_seconds": self.deadline_seconds,
            "run_called_by_run_id": self.called_by.run_id if self.called_by else None,
            "run_called_by_path": self.called_by.path if self.called_by else None,
            "run_is_detached": self.called_by is not None and self.called_by.is_detached,
            "run_depth": self.called_by.depth if self.called_by else 0,
            "run_calls_on_failure": self.calls_on_failure,
            "run_input": orjson.dumps({"inputs": self.inputs, "trigger": self.trigger}).decode(),
        }


@dataclass(frozen=True, slots=True)
class Accepted:
    """A run that stands in the database. `is_duplicate`: it stood there before this call."""

    id: int
    uid: UUID
    is_duplicate: bool = False


def insert(cursor: Any, statement: str | PreparedStatement, parameters: dict[str, Any]) -> None:
    """Execute a statement that embeds NEW_RUN; an input too large for its row becomes a payload in the same one."""
    text: str = parameters["run_input"]
    # no character takes more than four bytes
    if len(text) * 4 <= settings.BRAINOPS_INLINE_BYTES or len(text.encode()) <= settings.BRAINOPS_INLINE_BYTES:
        if isinstance(statement, str):
            cursor.execute(statement, parameters)
        else:
            statement.run(cursor, parameters)
        return
    cursor.execute(large(statement if isinstance(statement, str) else statement.text), parameters | _large_input(text))


def large(statement: str) -> str:
    """The variant of a statement with NEW_RUN that keeps the input as a payload."""
    return statement.replace(SMALL_DATA, LARGE_DATA)


def _large_input(text: str) -> dict[str, Any]:
    payload = packed(text.encode())
    parts = {name: _shown(part) for name, part in orjson.loads(text).items()}
    return {
        "run_input": orjson.dumps(parts).decode(),
        "run_input_ref": payload.sha256,
        "run_input_size": payload.size,
        "run_input_data": payload.data,
    }


def _shown(part: Any, *, depth: int = 1) -> Any:
    """A part of the input (`inputs`, `trigger`) as the row shows it: its large members by their beginning."""
    raw = orjson.dumps(part)
    if len(raw) <= PREVIEW_CHARACTERS:
        return part
    if not (depth and isinstance(part, dict)):
        return preview(raw)
    shown = {name: _shown(member, depth=depth - 1) for name, member in part.items()}
    return shown if len(orjson.dumps(shown)) <= settings.BRAINOPS_INLINE_BYTES else preview(raw)


def insert_run(cursor: Any, run: NewRun) -> Accepted:
    """Insert a run, or find the one that already took the same dedupe key.

    The caller rings the bell after its commit.
    """
    insert(cursor, INSERT, run.parameters())
    row = cursor.fetchone()
    if row is not None:
        return Accepted(id=row[0], uid=row[1])
    # do nothing on conflict waited for the other transaction: its row is committed and visible to a new snapshot
    cursor.execute(FIND_DUPLICATE, (run.workflow_id, run.dedupe_key))
    row = cursor.fetchone()
    return Accepted(id=row[0], uid=row[1], is_duplicate=True)
