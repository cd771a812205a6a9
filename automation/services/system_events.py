"""What the installation itself says: the event of a run that ended, of an approval, a workflow, a trigger's source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from automation.engine.cloud_events import JSON_TYPE
from automation.engine.status import RunStatus
from automation.models import Event
from automation.store import event_queue, events
from automation.store.event_queue import Queued, RunFacts
from brainops.core.redact import redact

LONGEST_TEXT = 1_000  # characters of what an error or a person said

# Every type there is, with what it says. Those of connections come with the connectors.
TYPES: Mapping[str, str] = {
    "brainops.run.succeeded": "A run succeeded.",
    "brainops.run.failed": "A run failed.",
    "brainops.run.cancelled": "A run was cancelled.",
    "brainops.run.timed_out": "A run ran out of time.",
    "brainops.approval.requested": "A run asks somebody.",
    "brainops.approval.decided": "An approval was decided, or its time is over; `state` says how.",
    "brainops.workflow.published": "A workflow has a new version.",
    "brainops.workflow.activated": "A workflow was switched on.",
    "brainops.workflow.deactivated": "A workflow was switched off.",
    "brainops.workflow.deleted": "A workflow was deleted.",
    "brainops.trigger.failing": "The source of a trigger could not be read three times in a row.",
    "brainops.trigger.recovered": "The source of a trigger can be read again.",
}

Json = Any


def make(cursor: Any, queued: Sequence[Queued]) -> dict[int, UUID]:
    """Write the events of queued things that have none yet; their ids by place in the queue.

    What is about a run that is gone meanwhile makes none. An event about a run has one hop more than what started it.
    """
    run_ids = {one.run_id for one in queued if one.run_id is not None}
    runs = event_queue.runs(cursor, run_ids)
    causes = events.causes_of(cursor, run_ids)
    rows = {}
    for one in queued:
        run = runs.get(one.run_id) if one.run_id is not None else None
        if one.run_id is None or run is not None:
            rows[one.id] = _row(one, run, causes.get(one.run_id or 0))
    Event.objects.bulk_create(rows.values())
    return {position: row.id for position, row in rows.items()}


def _row(queued: Queued, run: RunFacts | None, cause: tuple[UUID, int] | None) -> Event:
    about = {**(queued.about or {}), **(_about_run(run) if run else {})}
    workflow_id = about.get("workflow_id")
    cause_id, hops = cause or (None, -1)
    return Event(
        workspace_id=queued.workspace_id,
        name=queued.type,
        source=events.source_of(workflow_id) if workflow_id else events.PLACE,
        subject=_subject(about),
        said_at=events.time_text(queued.at),
        content_type=JSON_TYPE,
        extensions={},
        payload=redact(_cut(about)),
        hops=hops + 1,
        cause=cause_id,
        run_id=queued.run_id,
    )


def _subject(about: Mapping[str, Json]) -> str:
    """What the event is about, by its id: the most particular thing in it."""
    named = (about.get(name) for name in ("approval_id", "run_id", "trigger_id", "workflow_id"))
    return next((str(one) for one in named if one), "")


def _about_run(run: RunFacts) -> dict[str, Json]:
    status = RunStatus(run.status)
    facts: dict[str, Json] = {
        "run_id": str(run.uid),
        "workflow_id": str(run.workflow_id),
        "workflow": run.workflow,
        "version": run.version,
        "trigger_id": _text(run.trigger_id),
        "parent_run_id": _text(run.parent_run_uid),
        "called_by_run_id": _text(run.called_by_run_uid),
    }
    if not status.is_final:
        return facts
    seconds = (run.finished_at - run.started_at).total_seconds() if run.started_at and run.finished_at else None
    times = {name: getattr(run, name) for name in ("created_at", "started_at", "finished_at")}
    said = {name: events.time_text(instant) if instant else None for name, instant in times.items()}
    return {**facts, "status": status.word, **said, "duration_seconds": seconds, "error": _error(run.error)}


def _error(error: Json) -> Json:
    if not isinstance(error, dict):
        return None
    return {name: error.get(name) for name in ("type", "message", "step")}


def _cut(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: _cut(member) for name, member in value.items()}
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return f"{value[:LONGEST_TEXT]}…"
    return value


def _text(id_: UUID | None) -> str | None:
    return None if id_ is None else str(id_)
