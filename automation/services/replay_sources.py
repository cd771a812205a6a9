"""What a replay repeats beside runs: a room above this one registers how, since imports go one way."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from automation.services.retries import Repeat
from automation.services.runs import StartedRun
from brainops.accounts.caller import Caller
from brainops.core.registry import Registry

RUNS = "runs"

# `(caller, subject id, repeat, dedupe key) -> the run that repeats it`. Joins the caller's transaction. Raises NotFound
# for a subject that is gone, PermissionDenied, and what a start raises.
Repeater = Callable[[Caller, UUID, Repeat, str], StartedRun]

repeaters: Registry[Repeater] = Registry("replay source")
