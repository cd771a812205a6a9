"""StepResult: what is durably known about one step of one run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from automation.engine.status import StepStatus

Json = Any


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step row.

    `port` is the outcome a branching step took, None for the plain one. `reason` says why a step was
    skipped or which operands decided (plain JSON). `error` is `{type, message, step, attempt, class}`.
    `until` is the instant a waiting or retrying step goes on; a waiting one without it waits for news.
    """

    path: str
    kind: str
    status: StepStatus
    attempt: int = 1
    output: Json = None
    port: str | None = None
    reason: Json = None
    error: Json = None
    until: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    is_kept: bool = False  # copied from the run this one retries
    effect: str | None = None  # what the attempt did outside: "read", "create" …; None when it is pure


def id_of(path: str) -> str:
    """The id of the step that a path names: `send` of `loop[17].send` and of `send[17]`."""
    return path.rpartition(".")[2].partition("[")[0]
