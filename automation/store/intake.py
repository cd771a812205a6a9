"""Insert a run: the row and its payload in one statement, at most one per dedupe key.

S1 of the hot path. Runs on the caller's cursor, so it can share a transaction (a webhook event, a firing, an
idempotency key) with what accepted the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings

from automation.engine.limits import Gathering, Slot
from automation.engine.status import RunStatus
from automation.store.files import named_in
from automation.store.limits import LimitFull, enter
from automation.store.new_run import NEW_RUN, gathered, large, with_files
from automation.store.payloads import PREVIEW_CHARACTERS, packed, preview
from automation.store.prepared import PreparedStatement
from brainops.core import tracing

INSERT = "with " + NEW_RUN.format(guard="") + "select id, uid from new_run"

LARGE_INSERT = large(INSERT)
INSERT_WITH_FILES = with_files(INSERT)

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
    slot: Slot | None = None
    gathering: Gathering | None = None

    def parameters(self, *, status: RunStatus = RunStatus.QUEUED) -> dict[str, Any]:
        """The named parameters of NEW_RUN.

        A run that gathers starts has no dedupe key: it is of all of them. Their doors know what each has become.
        """
        gathering = self.gathering
        return {
            "run_status": int(status),
            "run_limit_key": self.slot.key if self.slot else None,
            "run_debounce_key": gathering.key if gathering else None,
            "run_gather_seconds": gathering.wait_seconds if gathering else None,
            "run_longest_gather_seconds": gathering.max_wait_seconds if gathering else None,
            "run_workspace_id": self.workspace_id,
            "run_workflow_id": self.workflow_id,
            "run_version_id": self.version_id,
            "run_trigger_id": self.trigger_id,
            "run_created_by_id": self.created_by_id,
            "run_mode": self.mode,
            "run_queue": self.queue,
            "run_priority": self.priority,
            "run_dedupe_key": None if gathering else self.dedupe_key,
            "run_parent_run_id": self.parent_run_id,
            "run_deadline_seconds": self.deadline_seconds,
            "run_called_by_run_id": self.called_by.run_id if self.called_by else None,
            "run_called_by_path": self.called_by.path if self.called_by else None,
            "run_is_detached": self.called_by is not None and self.called_by.is_detached,
            "run_depth": self.called_by.depth if self.called_by else 0,
            "run_calls_on_failure": self.calls_on_failure,
            "run_input": orjson.dumps({"inputs": self.inputs, "trigger": self.trigger, **_trace()}).decode(),
        }


def _trace() -> dict[str, str]:
    """Whose span started the run, where that is traced: the run's own becomes its child."""
    parent = tracing.traceparent()
    return {"trace": parent} if parent else {}


@dataclass(frozen=True, slots=True)
class Inserted:
    """What a statement with NEW_RUN returned, and the status that the run has."""

    row: tuple[Any, ...]
    status: RunStatus


@dataclass(frozen=True, slots=True)
class Accepted:
    """A run that stands in the database. `is_duplicate`: it stood there before this call."""

    id: int
    uid: UUID
    is_duplicate: bool = False


def start(
    cursor: Any, statement: str | PreparedStatement, run: NewRun, parameters: Mapping[str, Any], *, is_pinned: bool
) -> Inserted | None:
    """Start a run by a statement that embeds NEW_RUN, where its settings place it; None when it inserted nothing.

    `parameters` are those of the statement beside the run's. Without a limit this is that one statement; with one the
    cursor is in a transaction, which keeps the limit locked. Raises LimitFull, unless the version is no longer the
    newest: then others decide (None), except for one that `is_pinned`.
    """
    status = RunStatus.BLOCKED if run.gathering else RunStatus.QUEUED
    if run.slot and not run.gathering:
        try:
            room = enter(cursor, run.slot)
        except LimitFull as full:
            if is_pinned or full.room.version_id == run.version_id:
                raise
            return None
        if room is None or room.is_full:
            status = RunStatus.BLOCKED
    insert(cursor, statement, {**run.parameters(status=status), **parameters}, is_gathered=run.gathering is not None)
    row = cursor.fetchone()
    return Inserted(row, status) if row else None


def insert(
    cursor: Any, statement: str | PreparedStatement, parameters: dict[str, Any], *, is_gathered: bool = False
) -> None:
    """Execute a statement that embeds NEW_RUN; an input too large for its row becomes a payload in the same one.

    So do the run's holds on the files that its input refers to.
    """
    raw: str = parameters["run_input"]
    # no character takes more than four bytes
    is_small = len(raw) * 4 <= settings.BRAINOPS_INLINE_BYTES or len(raw.encode()) <= settings.BRAINOPS_INLINE_BYTES
    files = named_in(raw)
    if is_small and not files and not is_gathered and isinstance(statement, PreparedStatement):
        statement.run(cursor, parameters)
        return
    text = statement if isinstance(statement, str) else statement.text
    if files:
        text, parameters = with_files(text), parameters | {"run_files": files}
    if not is_small:
        text, parameters = large(text), parameters | _large_input(raw)
    cursor.execute(gathered(text) if is_gathered else text, parameters)


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

    The caller rings the bell after its commit. With a limit the cursor is in a transaction; raises LimitFull.
    """
    try:
        inserted = start(cursor, INSERT, run, {}, is_pinned=True)
    except LimitFull:
        duplicate = find_accepted(cursor, run)
        if duplicate is None:
            raise
        return duplicate
    if inserted is not None:
        return Accepted(*inserted.row)
    # do nothing on conflict waited for the other transaction: its row is committed and visible to a new snapshot
    duplicate = find_accepted(cursor, run)
    if duplicate is None:
        raise LookupError(f"Run with the dedupe key {run.dedupe_key!r} was there and is gone.")
    return duplicate


def find_accepted(cursor: Any, run: NewRun) -> Accepted | None:
    """The run that took the same dedupe key before."""
    cursor.execute(FIND_DUPLICATE, (run.workflow_id, run.dedupe_key))
    row = cursor.fetchone()
    return Accepted(row[0], row[1], is_duplicate=True) if row else None
