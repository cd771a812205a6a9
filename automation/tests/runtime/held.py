"""A run this process holds, for tests of what its steps ask of our own database."""

from __future__ import annotations

from typing import Any

from automation.store.claim import Claimed
from automation.store.commands import CommandContext


class Crash(BaseException):
    """The process dies here."""


def attempt(run: Claimed, *, path: str = "a", number: int = 1, **values: Any) -> CommandContext:
    """One attempt of a step of a held run."""
    known = {"claim": run.claim, "workspace_id": run.workspace_id, "workflow_id": run.workflow_id, "depth": 0}
    return CommandContext(run_id=run.id, run_uid=run.uid, path=path, attempt=number, **(known | values))
