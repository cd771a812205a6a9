"""What the page of one run shows. Read-only, a fixed number of queries, one workspace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from automation.admin.timeline import Timeline, timeline
from automation.engine.status import RunStatus
from automation.looks.states import Look, run_look
from automation.looks.wording import SHOWN_CHARACTERS, pretty
from automation.models import Run, RunMode, WorkflowVersion
from automation.services import run_reading
from automation.services.run_reading import LINES_SHOWN
from automation.store.read_run import Head
from brainops.accounts.caller import Caller
from brainops.accounts.models import User

PARTS = ("inputs", "trigger", "output", "response", "error")
SHOWN_RETRIES = 20

Json = Any


@dataclass(frozen=True, slots=True)
class Payload:
    """One JSON value of the run. `size` is in bytes; `text` is cut when `is_cut`."""

    part: str
    title: str
    text: str
    size: int
    is_cut: bool


@dataclass(frozen=True, slots=True)
class LogPage:
    """Some log lines, and where the next ones start."""

    lines: Sequence[Mapping[str, Json]]
    next_after: int | None
    is_first: bool


@dataclass(frozen=True, slots=True)
class RunView:
    """Everything on the page."""

    head: Head
    look: Look
    mode: str
    kind: str
    started_by: str
    error: dict[str, Json] | None
    timeline: Timeline
    payloads: list[Payload]
    log: LogPage
    retries: list[Run]
    has_more_steps: bool

    @property
    def is_final(self) -> bool:
        """True when the page will never change again."""
        return RunStatus(self.head.status).is_final

    @property
    def failed_title(self) -> str:
        """The name of the step that failed the run."""
        path = (self.error or {}).get("step")
        return next((row.title for row in self.timeline.rows if row.path == path), str(path))

    @property
    def is_stopping(self) -> bool:
        """Somebody cancelled it and its worker has not seen it yet."""
        return self.head.cancel_requested_at is not None and not self.is_final

    @property
    def has_failed_step(self) -> bool:
        """True when a retry can keep what succeeded."""
        return self.is_final and self.head.status != RunStatus.SUCCEEDED

    @property
    def queued_seconds(self) -> float:
        """How long it waited for a worker."""
        return ((self.head.started_at or self.head.finished_at or self.head.now) - self.head.created_at).total_seconds()

    @property
    def seconds(self) -> float | None:
        """How long it has run."""
        if self.head.started_at is None:
            return None
        return ((self.head.finished_at or self.head.now) - self.head.started_at).total_seconds()


def find_workspace(uid: UUID) -> UUID | None:
    """The workspace a run belongs to."""
    return Run.objects.filter(uid=uid).values_list("workspace_id", flat=True).first()


def read(caller: Caller, uid: UUID, *, log_after: int | None = None) -> RunView:
    """Read a run with its steps and a page of its log. Raises NotFound."""
    page = run_reading.read(caller, uid, with_lines=False, longest_output=SHOWN_CHARACTERS + 1)
    head = page.head
    definition = WorkflowVersion.objects.values_list("definition", flat=True).get(id=head.version_id)
    error = orjson.loads(head.error) if head.error else None
    return RunView(
        head=head,
        look=run_look(head.status, head.wait_kind),
        mode=RunMode(head.mode).label,
        kind=_kind(head),
        started_by=_person(head.created_by_id),
        error=error,
        timeline=timeline(page, definition.get("steps", [])),
        payloads=[payload for part in PARTS if part != "error" and (payload := _payload(head, part))],
        log=_log(caller, uid, log_after),
        retries=list(Run.objects.filter(parent_run_id=head.id).only("uid", "status", "created_at")[:SHOWN_RETRIES]),
        has_more_steps=page.has_more_steps,
    )


def raw_part(caller: Caller, uid: UUID, part: str) -> str | None:
    """One JSON value of a run as it is stored. Raises NotFound."""
    head = run_reading.read(caller, uid, with_steps=False, with_lines=False).head
    value: str | None = getattr(head, part)
    return value


def _kind(head: Head) -> str:
    """What started it, in a word."""
    trigger = orjson.loads(head.trigger) if head.trigger else None
    if isinstance(trigger, dict) and trigger.get("kind"):
        return str(trigger["kind"])
    return "retry" if head.parent_uid else "manual"


def _person(user_id: UUID | None) -> str:
    if user_id is None:
        return ""
    return User.objects.filter(id=user_id).values_list("email", flat=True).first() or str(user_id)


def _payload(head: Head, part: str) -> Payload | None:
    raw = getattr(head, part)
    if raw is None or (part in ("trigger", "response") and raw == "null"):
        return None
    text = pretty(raw, is_text=True) if len(raw) <= SHOWN_CHARACTERS else raw[:SHOWN_CHARACTERS]
    return Payload(part, part.capitalize(), text, len(raw.encode()), is_cut=len(raw) > SHOWN_CHARACTERS)


def _log(caller: Caller, uid: UUID, after: int | None) -> LogPage:
    rows = run_reading.log_rows(caller, uid)
    if after is not None:
        rows = rows.filter(seq__gt=after)
    lines = list(rows[: LINES_SHOWN + 1])
    shown = lines[:LINES_SHOWN]
    return LogPage(shown, shown[-1]["seq"] if len(lines) > LINES_SHOWN else None, is_first=after is None)
