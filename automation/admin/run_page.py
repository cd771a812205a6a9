"""What the page of one run shows. Read-only, a fixed number of queries, one workspace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import orjson
from django.db.models import Q
from django.urls import reverse

from automation.admin import run_effects_page, run_log_page
from automation.admin.run_effects_page import EffectTab
from automation.admin.run_log_page import LogPage
from automation.admin.timeline import Timeline, timeline
from automation.engine.document import parse_document
from automation.engine.results import id_of
from automation.engine.status import RunStatus
from automation.looks.states import WAITED, Look, run_look
from automation.looks.wording import SHOWN_CHARACTERS, pretty
from automation.models import Run, RunMode, WorkflowVersion
from automation.services import loops, payloads, run_reading
from automation.services.run_reading import RunPage
from automation.services.waits import Waited
from automation.store.read_run import Head
from brainops.accounts.caller import Caller
from brainops.accounts.models import User

PARTS = ("inputs", "trigger", "output", "response", "error")
STEPS, EFFECTS, LOG = "steps", "effects", "log"
TABS = {STEPS: "Steps", EFFECTS: "Effects", LOG: "Log"}
SHOWN_RELATIVES = 40
SHOWN_LOOPS, SHOWN_ITEMS = 3, 5  # failed items that the page itself shows

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
class WaitView:
    """What a step waits for, and where somebody may answer."""

    look: Look
    title: str
    waited: Waited
    link: str | None


@dataclass(frozen=True, slots=True)
class FailedItems:
    """The first failed items of a loop."""

    lines: Sequence[Mapping[str, Json]]
    more: int


@dataclass(frozen=True, slots=True)
class RunView:
    """Everything on the page. Only what the tab shows is read."""

    head: Head
    tab: str
    look: Look
    mode: str
    kind: str
    started_by: str
    error: dict[str, Json] | None
    failed_title: str
    retries: list[Run]
    children: list[Run]
    timeline: Timeline = field(default_factory=lambda: Timeline([]))
    failed_items: Mapping[str, FailedItems] = field(default_factory=dict)
    waits: Sequence[WaitView] = ()
    payloads: Sequence[Payload] = ()
    log: LogPage | None = None
    effects: EffectTab | None = None
    has_more_steps: bool = False

    @property
    def is_final(self) -> bool:
        """True when the page will never change again."""
        return RunStatus(self.head.status).is_final

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


def read(caller: Caller, uid: UUID, asked: Mapping[str, str]) -> RunView:
    """Read a run with what its tab shows; `asked` is the query of the address. Raises NotFound."""
    tab = asked.get("tab", STEPS) if asked.get("tab") in TABS else STEPS
    page = run_reading.read(caller, uid, with_steps=tab == STEPS, with_lines=False, longest_output=SHOWN_CHARACTERS + 1)
    head = page.head
    definition = WorkflowVersion.objects.values_list("definition", flat=True).get(id=head.version_id)
    error = orjson.loads(head.error) if head.error else None
    relatives = _relatives(head)
    view = RunView(
        head=head,
        tab=tab,
        look=run_look(head.status, head.wait_kind),
        mode=RunMode(head.mode).label,
        kind=_kind(head),
        started_by=_person(head.created_by_id),
        error=error,
        failed_title=_title((error or {}).get("step"), definition),
        retries=[run for run in relatives if run.parent_run_id == head.id],
        children=[run for run in relatives if run.called_by_run_id == head.id],
    )
    if tab == LOG:
        return replace(view, log=run_log_page.read(head.id, asked))
    if tab == EFFECTS:
        return replace(view, effects=run_effects_page.read(caller, uid, asked))
    return _with_steps(view, page, definition)


def _with_steps(view: RunView, page: RunPage, definition: Mapping[str, Json]) -> RunView:
    rows = timeline(page, definition)
    return replace(
        view,
        timeline=rows,
        failed_items=_failed_items(view.head.id, rows),
        waits=[_wait(waited, definition) for waited in page.waits],
        payloads=[shown for part in PARTS if part != "error" and (shown := _payload(view.head, part))],
        has_more_steps=page.has_more_steps,
    )


def _relatives(head: Head) -> list[Run]:
    """The runs that repeat this one and those it called, newest first."""
    wanted = Q(parent_run_id=head.id) | Q(called_by_run_id=head.id)
    rows = Run.objects.filter(wanted).select_related("workflow")
    columns = ("uid", "status", "wait_kind", "created_at", "parent_run_id", "called_by_run_id", "called_by_path")
    return list(rows.only(*columns, "workflow__name")[:SHOWN_RELATIVES])


def _failed_items(run_id: int, rows: Timeline) -> dict[str, FailedItems]:
    """Of the first loops with failures, so that the page costs no more for many."""
    loops_with = [row for row in rows.rows if row.progress and row.progress.failed]
    found = {}
    for row in loops_with[:SHOWN_LOOPS]:
        page = loops.items(run_id, row.path, status="failed", limit=SHOWN_ITEMS)
        shown = [{**item, "title": item.get("label") or f"Item {item['index']}"} for item in page.items]
        found[row.path] = FailedItems(shown, (row.progress.failed if row.progress else 0) - len(shown))
    return found


def _wait(waited: Waited, definition: Mapping[str, Json]) -> WaitView:
    return WaitView(WAITED[waited.type], _title(waited.path, definition), waited, approval_link(waited))


def approval_link(waited: Waited) -> str | None:
    """Where in the admin an approval is decided."""
    if waited.approval_id is None:
        return None
    return reverse("admin:automation_approval_page", args=[waited.approval_id])


def _title(path: str | None, definition: Mapping[str, Json]) -> str:
    """What people call the step at a path: its name, with the item where it is in a loop."""
    if path is None:
        return ""
    names = {step.id: step.name for step in parse_document(definition).steps()}
    name = names.get(id_of(path))
    if not name or "[" not in path:
        return name or path
    return f"{name} ({path})"


def raw_part(caller: Caller, uid: UUID, part: str) -> str | None:
    """One JSON value of a run, whole; `part` may be the checksum of a payload. Raises NotFound, Conflict."""
    if part not in PARTS:
        return payloads.read(caller, uid, part).decode()
    head = run_reading.read(caller, uid, with_steps=False, with_lines=False).head
    ref = head.input_ref if part in ("inputs", "trigger") else head.output_ref if part == "output" else None
    if ref is None:
        value: str | None = getattr(head, part)
        return value
    whole = payloads.read(caller, uid, ref)
    return whole.decode() if part == "output" else orjson.dumps(orjson.loads(whole)[part]).decode()


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
    is_cut = len(raw) > SHOWN_CHARACTERS
    if part == "output" and head.output_ref is not None:
        shown = orjson.loads(raw)
        return Payload(part, part.capitalize(), shown["preview"], shown["size"], is_cut=True)
    return Payload(part, part.capitalize(), text, len(raw.encode()), is_cut=is_cut or _is_shortened(head, part))


def _is_shortened(head: Head, part: str) -> bool:
    return part in ("inputs", "trigger") and head.input_ref is not None
