"""Read one run with its steps and its first log lines: three queries, two more while loops or waits are under way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import connection
from django.db.models import Case, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Cast

from automation.engine.containers import BATCH
from automation.engine.results import id_of
from automation.engine.status import RunStatus, StepStatus
from automation.models import RunLog, StepRun
from automation.services import loops, runnable, waits
from automation.services.loops import Progress
from automation.services.waits import Waited
from automation.store.read_run import ALL_OF_IT, Head, StepRow, find_run, read_head, read_lines, read_steps
from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission
from brainops.core.errors import NotFound

STEPS_SHOWN = 500  # of one run; more are at /runs/{id}/steps
LINES_SHOWN = 100  # more are at /runs/{id}/logs

# The same columns as the store's statements give, JSON as text. What is in a batch is at /runs/{id}/steps/{path}/items.
STEP_TEXTS = {
    "output_text": Case(
        When(Q(kind=BATCH) | Q(status=StepStatus.OPEN), then=Value(None, TextField())),
        default=Cast("output", TextField()),
        output_field=TextField(),
    ),
    **{f"{name}_text": Cast(name, TextField()) for name in ("reason", "error")},
}
STEP_COLUMNS = tuple(f"{name}_text" if name in ("output", "reason", "error") else name for name in StepRow._fields)
STEP_STATUSES = {status.word: status for status in StepStatus}
RUNNING = "running"  # the word for a step a worker is on; no row says it
LINE_TEXTS = {"fields_text": Cast("fields", TextField())}
LINE_COLUMNS = ("seq", "at", "level", "path", "attempt", "message", "fields_text")


@dataclass(frozen=True, slots=True)
class Live:
    """A step that a worker is on, as its last heartbeat said."""

    path: str
    kind: str
    attempt: int
    started_at: float  # seconds since the epoch


@dataclass(frozen=True, slots=True)
class RunPage:
    """A run as its page shows it. `steps` and `lines` are rows of the store's statements, None when not asked for.

    `progress` is that of the loops under way, by path. `waits` is what its steps wait for.
    """

    head: Head
    live: tuple[Live, ...]
    steps: Sequence[StepRow] | None
    lines: Sequence[tuple[Any, ...]] | None
    has_more_steps: bool = False
    has_more_lines: bool = False
    progress: Mapping[str, Progress] = field(default_factory=dict)
    waits: tuple[Waited, ...] = ()


def read(
    caller: Caller, uid: UUID, *, with_steps: bool = True, with_lines: bool = True, longest_output: int = ALL_OF_IT
) -> RunPage:
    """One run of the caller's workspace; outputs of steps are cut after `longest_output` characters.

    Raises NotFound.
    """
    caller.require(Permission.RUNS_READ)
    with connection.cursor() as cursor:
        head = read_head(cursor, uid, workspace_id=caller.workspace())
        if head is None:
            raise NotFound
        steps = read_steps(cursor, head.id, limit=STEPS_SHOWN + 1, longest=longest_output) if with_steps else None
        lines = read_lines(cursor, head.id, limit=LINES_SHOWN + 1) if with_lines else None
        progress = loops.progress(cursor, head.id, steps or ())
    return RunPage(
        head=head,
        live=live_steps(head) if with_steps else (),
        steps=steps[:STEPS_SHOWN] if steps is not None else None,
        lines=lines[:LINES_SHOWN] if lines is not None else None,
        has_more_steps=steps is not None and len(steps) > STEPS_SHOWN,
        has_more_lines=lines is not None and len(lines) > LINES_SHOWN,
        progress=progress,
        waits=waits.of_run(head, steps or ()),
    )


def step_rows(run_id: int, *, status: Sequence[str] = (), path: str | None = None) -> QuerySet[StepRun, dict[str, Any]]:
    """The step rows of a run, to page through, as dicts of STEP_COLUMNS.

    `path` finds a step and what lies in it: `loop` finds `loop[0-99]`, too. `status` names any of STEP_STATUSES.
    """
    rows = StepRun.objects.filter(run_id=run_id)
    if path is not None:
        rows = rows.filter(_inside(path))
    if status:
        rows = rows.filter(status__in=[STEP_STATUSES[word] for word in status if word != RUNNING])
    return rows.annotate(**STEP_TEXTS).values(*STEP_COLUMNS)


def log_rows(
    run_id: int,
    *,
    path: str | None = None,
    level: Sequence[str] = (),
    attempt: int | None = None,
    since: datetime | None = None,
) -> QuerySet[RunLog, dict[str, Any]]:
    """The log lines of a run, to page through, as dicts of LINE_COLUMNS. `path` finds a step and what lies in it."""
    exact = {"attempt": attempt, "level__in": list(level) or None, "at__gte": since}
    wanted = {lookup: value for lookup, value in exact.items() if value is not None}
    rows = RunLog.objects.filter(run_id=run_id, **wanted)
    if path is not None:
        rows = rows.filter(_inside(path))
    return rows.annotate(**LINE_TEXTS).values(*LINE_COLUMNS)


def _inside(path: str) -> Q:
    """A step and what lies in it: `loop` finds `loop[17].send`, too."""
    return Q(path=path) | Q(path__startswith=f"{path}[") | Q(path__startswith=f"{path}.")


def in_order(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Rows as the store's statements give them."""
    return (tuple(row[name] for name in columns) for row in rows)


def inner_id(caller: Caller, uid: UUID) -> int:
    """The inner id of a run of the caller's workspace. Raises NotFound."""
    caller.require(Permission.RUNS_READ)
    with connection.cursor() as cursor:
        run_id = find_run(cursor, uid, workspace_id=caller.workspace())
    if run_id is None:
        raise NotFound
    return run_id


def read_live(caller: Caller, uid: UUID) -> tuple[Head, tuple[Live, ...]]:
    """A run without its steps, and what a worker is on in it. Raises NotFound."""
    head = read(caller, uid, with_steps=False, with_lines=False).head
    return head, live_steps(head)


def live_steps(head: Head) -> tuple[Live, ...]:
    """The steps that the run's worker is on, as its last heartbeat said."""
    if head.status != RunStatus.RUNNING or not head.busy:
        return ()
    kinds = _kinds(head)
    return tuple(
        Live(step["path"], kinds.get(id_of(step["path"]), ""), step["attempt"], step["started_at"])
        for step in orjson.loads(head.busy)
        if step["path"]  # a worker that is between two steps says so by an empty path
    )


def _kinds(head: Head) -> Mapping[str, str]:
    return runnable.by_version(head.version_id).kinds
