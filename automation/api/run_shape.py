"""How the API shows runs, steps and log lines. Stored JSON goes out as the bytes it came in, without being parsed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings

from automation.engine.status import RunStatus, StepStatus, WaitKind
from automation.models import RunMode
from automation.services import run_story
from automation.services.effects import EffectRow
from automation.services.limits import StartSkipped
from automation.services.loops import Item, Progress
from automation.services.run_reading import RUNNING, Live, RunPage
from automation.services.runs import StartedRun
from automation.services.waits import Waited
from automation.store.read_run import Head, StepRow

ITEM_MEMBERS = ("label", "status", "attempt", "output", "error", "steps")


def path_of(uid: UUID) -> str:
    """Where a run can be read."""
    return f"{settings.BRAINOPS_API_PREFIX}/runs/{uid}"


def accepted(run: StartedRun, *, parent: UUID | None = None) -> dict[str, Any]:
    """A run that was just accepted."""
    return {
        "id": run.uid,
        "workflow_id": run.version.workflow_id,
        "version": run.version.number,
        "status": run.status.word,
        "parent_run_id": parent,
        "created_at": run.created_at,
        "url": path_of(run.uid),
    }


def skipped(skipped: StartSkipped) -> dict[str, Any]:
    """A start that was left out: there is no run."""
    return {"id": None, "status": "skipped", "reason": skipped.code, "detail": skipped.message, **skipped.details}


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
        "called_by_path": step_path(row["called_by_path"]),
        "depth": row["depth"],
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


def step_path(called_by: str | None) -> str | None:
    """The step that called, without the number that its later attempts put behind it (`store/commands/calls.py`)."""
    return called_by and called_by.partition("#")[0]


def run(page: RunPage) -> dict[str, Any]:
    """A run, whole."""
    head = page.head
    return {
        **_head(head),
        "is_pinned": head.is_pinned,
        "inputs": raw(head.inputs),
        "trigger": raw(head.trigger),
        "input_ref": head.input_ref,
        "output": raw(head.output),
        "output_ref": head.output_ref,
        "response": raw(head.response),
        "waits": waits(page.waits),
        "steps": steps(page),
        "steps_next": f"{path_of(head.uid)}/steps" if page.has_more_steps else None,
        "logs": lines(page),
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
        "called_by_path": step_path(head.called_by_path),
        "depth": head.depth,
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
    return merged([step(row, page.progress.get(row.path)) for row in page.steps or ()], page.live)


def merged(rows: list[dict[str, Any]], live: Iterable[Live], *, with_new: bool = True) -> list[dict[str, Any]]:
    """Shown rows with what is live: a step that a worker is on is `running`, `with_new` also when it has no row yet."""
    under_way = {found.path: found for found in live}
    final = {word.word for word in StepStatus if word.is_final}
    shown = []
    for row in rows:
        found = under_way.pop(row["path"], None)
        shown.append(row if found is None or row["status"] in final else _live(found))
    return shown + ([_live(found) for found in under_way.values()] if with_new else [])


def step(row: StepRow, progress: Progress | None = None) -> dict[str, Any]:
    """A step row; `progress` is that of its loop."""
    return {
        "path": row.path,
        "kind": row.kind,
        "status": StepStatus(row.status).word,
        "attempt": row.attempt,
        "is_kept": row.is_kept,
        "port": row.port,
        "effect": row.effect,
        "progress": None if progress is None else _progress(progress),
        "output": raw(row.output),
        "output_ref": row.output_ref,
        "reason": raw(row.reason),
        "error": raw(row.error),
        "until": row.until,
        "started_at": row.started_at,
        "finished_at": row.finished_at,
        "duration_seconds": _seconds(row.started_at, row.finished_at),
    }


def _live(found: Live) -> dict[str, Any]:
    started_at = datetime.fromtimestamp(found.started_at, UTC)
    nothing = StepRow(
        *(found.path, found.kind, StepStatus.STARTED, found.attempt, False, None, None, None, None, None, None),
        *(started_at, None),
    )
    return {**step(nothing), "status": RUNNING}


def item(found: Item) -> dict[str, Any]:
    """An item of a loop."""
    return {"index": found["index"], **{name: found.get(name) for name in ITEM_MEMBERS}}


def effect(row: EffectRow) -> dict[str, Any]:
    """An effect of the ledger."""
    return {
        "path": row.path,
        "kind": row.kind,
        "effect": row.effect,
        "status": row.status,
        "attempt": row.attempt,
        "is_kept": row.is_kept,
        "idempotency_key": row.key,
        "sends_key": row.has_key,
        "target": row.target,
        "error": row.error,
        "started_at": row.started_at,
        "finished_at": row.finished_at,
    }


def waits(found: Iterable[Waited]) -> list[dict[str, Any]]:
    """What the steps of a run wait for."""
    return [
        {
            "path": one.path,
            "type": one.type,
            "until": one.until,
            "approval_id": one.approval_id,
            "approval_url": f"{settings.BRAINOPS_API_PREFIX}/approvals/{one.approval_id}" if one.approval_id else None,
            "signal": one.signal,
            "run_id": one.run_id,
            "details": one.details,
        }
        for one in found
    ]


def _progress(progress: Progress) -> dict[str, Any]:
    return {
        "items": progress.items,
        "succeeded": progress.succeeded,
        "failed": progress.failed,
        "skipped": progress.skipped,
        "active": progress.active,
    }


def lines(page: RunPage) -> list[dict[str, Any]]:
    """The first log lines, with how the run began and, where they are all, how it ended."""
    if page.lines is None:
        return []
    ending = () if page.has_more_lines else run_story.closing(page.head)
    return [line(row) for row in (*run_story.opening(page.head), *page.lines, *ending)]


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
