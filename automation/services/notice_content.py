"""What a notice says, as JSON: the same for mails, webhooks and workflows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from automation.engine.notices import Said
from automation.engine.status import RunStatus
from automation.models import Approval, NoticeRule
from automation.store.notices import Cause, RunFacts, Watched
from brainops.core.redact import redact

LONGEST_TEXT = 1_000  # characters of a message that people wrote or an error said
MOST_NAMED = 20  # workflows that a digest names

Json = Any


def about_run(said: Said, rule: NoticeRule, workflow: Watched, run: RunFacts | None) -> dict[str, Json]:
    """A notice about the end of a run; `run` is None when it has been deleted meanwhile."""
    content = {
        "event": said.event,
        "count": said.count,
        "since": _text(said.since),
        "workflow": _workflow(workflow.id, workflow.name),
        "run": _run(run) if run else None,
        "rule": _rule(rule),
    }
    return dict(redact(content))


def about_schedule(cause: Cause, rule: NoticeRule, workflow: Watched) -> dict[str, Json]:
    """A notice about a schedule: since when it should have run, or succeeded, and why it has not."""
    content = {
        "event": cause.kind,
        "count": 1,
        "since": cause.about["since"],
        "workflow": _workflow(workflow.id, workflow.name),
        "run": None,
        "schedule": {
            "id": str(cause.trigger_id),
            "name": cause.about["name"],
            "misses": cause.about["kind"],
            "reason": _cut(cause.about["reason"]),
            "url": _url("trigger", cause.trigger_id) if cause.trigger_id else None,
        },
        "rule": _rule(rule),
    }
    return dict(redact(content))


def about_approval(event: str, approval: Approval, *, rule: NoticeRule | None) -> dict[str, Json]:
    """A notice about an approval: what is asked, of whom, until when, and where to answer."""
    run = approval.run
    content = {
        "event": event,
        "count": 1,
        "since": None,
        "workflow": _workflow(run.workflow_id, run.workflow.name),
        "run": {"id": str(run.uid), "number": run.id, "url": _url("run", run.uid)},
        "approval": {
            "id": str(approval.id),
            "kind": approval.kind,
            "title": _cut(approval.title),
            "message": _cut(approval.message),
            "assignees": approval.assignees,
            "expires_at": _text(approval.expires_at),
            "url": _url("approval", approval.id),
        },
        "rule": _rule(rule) if rule else None,
    }
    return dict(redact(content))


def test_of(rule: NoticeRule) -> dict[str, Json]:
    """A notice that nothing has happened for."""
    return {"event": "test", "count": 1, "since": None, "workflow": None, "run": None, "rule": _rule(rule)}


def digest(before: Mapping[str, Json] | None, notice: Mapping[str, Json]) -> dict[str, Json]:
    """A digest with one more notice in it. `before` is the digest so far; None begins one."""
    old = before or {"count": 0, "events": {}, "workflows": [], "more_workflows": False}
    event, workflow = notice["event"], notice["workflow"]
    known = [one["id"] for one in old["workflows"]]
    is_new = workflow is not None and workflow["id"] not in known
    is_full = len(known) >= MOST_NAMED
    return {
        "event": "digest",
        "count": old["count"] + 1,
        "since": None,
        "events": {**old["events"], event: old["events"].get(event, 0) + 1},
        "workflows": [*old["workflows"], workflow] if is_new and not is_full else old["workflows"],
        "more_workflows": old["more_workflows"] or (is_new and is_full),
        "workflow": None,
        "run": None,
        "rule": notice["rule"],
    }


def _workflow(id_: UUID, name: str) -> dict[str, Json]:
    return {"id": str(id_), "name": name, "url": _url("workflow", id_)}


def _run(run: RunFacts) -> dict[str, Json]:
    began = run.started_at or run.created_at
    return {
        "id": str(run.uid),
        "number": run.id,
        "status": RunStatus(run.status).word,
        "version": run.version,
        "started_at": _text(began),
        "finished_at": _text(run.finished_at),
        "seconds": round((run.finished_at - began).total_seconds(), 3) if run.finished_at else None,
        "error": _error(run.error),
        "url": _url("run", run.uid),
    }


def _error(error: Json) -> Json:
    """The error without details, which may be long."""
    if not isinstance(error, dict):
        return None
    told = {name: error.get(name) for name in ("type", "step", "class")}
    return {**told, "message": _cut(str(error.get("message") or ""))}


def _rule(rule: NoticeRule) -> dict[str, Json]:
    return {"id": str(rule.id), "name": rule.name}


def _url(page: str, id_: UUID) -> str:
    return f"{settings.BRAINOPS_PUBLIC_URL}/admin/automation/{page}/{id_}/"


def _text(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"
