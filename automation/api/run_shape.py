"""How the API shows runs, steps and log lines. Stored JSON goes out as the bytes it came in, without being parsed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings

from automation.engine.status import RunStatus, StepStatus, WaitKind
from automation.models import RunMode
from automation.services.run_reading import Live, RunPage
from automation.services.runs import StartedRun
from automation.store.read_run import Head


def path_of(uid: UUID) -> str:
    """Where a run can be read."""
    return f"{settings.BRAINOPS_API_PREFIX}/runs/{uid}"


def accepted(run: StartedRun, *, parent: UUID | None = None) -> dict[str, Any]:
    """A run that was just accepted."""
    return {
        "id": run.uid,
        "workflow_id": run.version.workflow_id,
        "version": run.version.number,
        "status": RunStatus.QUEUED.word,
        "parent_run_id": parent,
        "created_at": run.created_at,
        "url": path_of(run.uid),
    }


def summary(row: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """A row of the list's query (`services/run_search.py`)."""
    return {
        "id": row["uid"],
        "workflow_id": row["workflow_id"],
        "workflow_name": row["workflow__name"],
        "version": row["version__number"],
        "status": RunStatus(row["status"]).word,
        "mode": RunMode(row["mode"]).label,
        "trigger_id": row["trigger_id"],
        "created_by": row["created_by_id"],
        "parent_run_id": row["parent_run__uid"],
        "called_by_run_id": row["called_by_run__uid"],
        "attempt": row["attempt"],
        "crashes": row["crashes"],
        "waiting": waiting(row["status"], row["wait_kind"], row["wake_at"]),
        "error": row["data__error"],
        "cancel_requested_at": row["cancel_requested_at"],
        "deadline_at": row["deadline_at"],
        "created_at": row["created_at"],
        "started_at": row["started_at"],
        "finished_at": row["finished_at"],
        "timing": timing(row["created_at"], row["started_at"], row["finished_at"], now),
    }


def run(page: RunPage) -> dict[str, Any]:
    """A run, whole."""
    head = page.head
    return {
        **_head(head),
        "inputs": raw(head.inputs),
        "trigger": raw(head.trigger),
        "output": raw(head.output),
        "response": raw(head.response),
        "steps": steps(page),
        "steps_next": f"{path_of(head.uid)}/steps" if page.has_more_steps else None,
        "logs": [line(row) for row in page.lines or ()],
        "logs_next": f"{path_of(head.uid)}/logs" if page.has_more_lines else None,
    }


def _head(head: Head) -> dict[str, Any]:
    return {
        "id": head.uid,
        "workflow_id": head.workflow_id,
        "workflow_name": head.workflow_name,
        "version": head.number,
        "status": RunStatus(head.status).word,
        "mode": RunMode(head.mode).label,
        "trigger_id": head.trigger_id,
        "created_by": head.created_by_id,
        "parent_run_id": head.parent_uid,
        "called_by_run_id": head.called_by_uid,
        "attempt": head.attempt,
        "crashes": head.crashes,
        "waiting": waiting(head.status, head.wait_kind, head.wake_at),
        "error": raw(head.error),
        "cancel_requested_at": head.cancel_requested_at,
        "deadline_at": head.deadline_at,
        "created_at": head.created_at,
        "started_at": head.started_at,
        "finished_at": head.finished_at,
        "timing": timing(head.created_at, head.started_at, head.finished_at, head.now),
    }


def steps(page: RunPage) -> list[dict[str, Any]]:
    """The step rows, with those a worker is on as `running`."""
    live = {found.path: found for found in page.live}
    rows = page.steps or ()
    stored = [step(row) for row in rows if row[0] not in live or StepStatus(row[2]).is_final]
    finished = {shown["path"] for shown in stored}
    return stored + [_live(found) for path, found in live.items() if path not in finished]


def step(row: tuple[Any, ...]) -> dict[str, Any]:
    """A row of the store's statement."""
    path, kind, status, attempt, is_kept, port, output, reason, error, until, started_at, finished_at = row
    return {
        "path": path,
        "kind": kind,
        "status": StepStatus(status).word,
        "attempt": attempt,
        "is_kept": is_kept,
        "port": port,
        "output": raw(output),
        "reason": raw(reason),
        "error": raw(error),
        "until": until,
        "started_at": started_at,
        "finished_at": finished_at,
        "duration_seconds": _seconds(started_at, finished_at),
    }


def _live(found: Live) -> dict[str, Any]:
    return {
        "path": found.path,
        "kind": found.kind,
        "status": "running",
        "attempt": found.attempt,
        "is_kept": False,
        "port": None,
        "output": None,
        "reason": None,
        "error": None,
        "until": None,
        "started_at": datetime.fromtimestamp(found.started_at, UTC),
        "finished_at": None,
        "duration_seconds": None,
    }


def line(row: tuple[Any, ...]) -> dict[str, Any]:
    """A log line of the store's statement."""
    seq, at, level, path, attempt, message, fields = row
    return {
        "seq": seq,
        "at": at,
        "level": level,
        "path": path,
        "attempt": attempt,
        "message": message,
        "fields": raw(fields),
    }


def waiting(status: int, kind: int | None, until: datetime | None) -> dict[str, Any] | None:
    """What a waiting run waits for; None for every other run."""
    if status != RunStatus.WAITING:
        return None
    return {"reason": WaitKind(kind).word if kind else None, "until": until}


def timing(
    created_at: datetime, started_at: datetime | None, finished_at: datetime | None, now: datetime
) -> dict[str, Any]:
    """How long it queued, ran and took in all."""
    end = finished_at or now
    return {
        "queued_seconds": _seconds(created_at, started_at or end),
        "run_seconds": _seconds(started_at, end),
        "total_seconds": _seconds(created_at, end),
    }


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else max(0.0, round((end - start).total_seconds(), 6))


def raw(text: str | None) -> Any:
    """JSON text from the database, to be put into the answer as it is."""
    return None if text is None else orjson.Fragment(text)
