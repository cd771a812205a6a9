"""Read one run with its steps and its first log lines, in at most three queries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from django.db import connection
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast

from automation.engine.status import RunStatus
from automation.models import RunLog, StepRun
from automation.services import runnable
from automation.store.read_run import ALL_OF_IT, Head, find_run, read_head, read_lines, read_steps
from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission
from brainops.core.errors import NotFound

STEPS_SHOWN = 500  # of one run; more are at /runs/{id}/steps
LINES_SHOWN = 100  # more are at /runs/{id}/logs

# The same columns as the store's statements give, JSON as text.
STEP_TEXTS = {f"{name}_text": Cast(name, TextField()) for name in ("output", "reason", "error")}
STEP_COLUMNS = (
    *("path", "kind", "status", "attempt", "is_kept", "port", "output_text", "reason_text", "error_text", "until"),
    *("started_at", "finished_at"),
)
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
    """A run as its page shows it. `steps` and `lines` are rows of the store's statements, None when not asked for."""

    head: Head
    live: tuple[Live, ...]
    steps: Sequence[tuple[Any, ...]] | None
    lines: Sequence[tuple[Any, ...]] | None
    has_more_steps: bool = False
    has_more_lines: bool = False


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
    return RunPage(
        head=head,
        live=_live(head) if with_steps else (),
        steps=steps[:STEPS_SHOWN] if steps is not None else None,
        lines=lines[:LINES_SHOWN] if lines is not None else None,
        has_more_steps=steps is not None and len(steps) > STEPS_SHOWN,
        has_more_lines=lines is not None and len(lines) > LINES_SHOWN,
    )


def step_rows(caller: Caller, uid: UUID) -> QuerySet[StepRun, dict[str, Any]]:
    """The step rows of a run, to page through, as dicts of STEP_COLUMNS. Raises NotFound."""
    return StepRun.objects.filter(run_id=_inner_id(caller, uid)).annotate(**STEP_TEXTS).values(*STEP_COLUMNS)


def log_rows(caller: Caller, uid: UUID) -> QuerySet[RunLog, dict[str, Any]]:
    """The log lines of a run, to page through, as dicts of LINE_COLUMNS. Raises NotFound."""
    return RunLog.objects.filter(run_id=_inner_id(caller, uid)).annotate(**LINE_TEXTS).values(*LINE_COLUMNS)


def in_order(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Rows as the store's statements give them."""
    return (tuple(row[name] for name in columns) for row in rows)


def _inner_id(caller: Caller, uid: UUID) -> int:
    caller.require(Permission.RUNS_READ)
    with connection.cursor() as cursor:
        run_id = find_run(cursor, uid, workspace_id=caller.workspace())
    if run_id is None:
        raise NotFound
    return run_id


def _live(head: Head) -> tuple[Live, ...]:
    if head.status != RunStatus.RUNNING or not head.busy:
        return ()
    kinds = _kinds(head)
    return tuple(
        Live(step["path"], kinds.get(step["path"], ""), step["attempt"], step["started_at"])
        for step in orjson.loads(head.busy)
        if step["path"]  # a worker that is between two steps says so by an empty path
    )


def _kinds(head: Head) -> Mapping[str, str]:
    return runnable.by_version(head.version_id).kinds
