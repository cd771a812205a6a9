"""Commands: what a kind may ask of our own database. Each takes effect exactly once, however often it is performed.

They are values; `automation/store/commands/` executes them, one file a noun, in a transaction fenced by the claim.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

Json = Any


class CommandRefused(Exception):
    """The command cannot be done: the step fails with `code` and this sentence, and nothing was done.

    `is_temporary`: the same command may go through in a moment.
    """

    def __init__(self, code: str, message: str, *, is_temporary: bool = False, **details: Json) -> None:
        super().__init__(message)
        self.code = code
        self.is_temporary = is_temporary
        self.details = details


class CommandInterrupted(Exception):
    """The database could not be asked before the run had to stop here."""


class ClaimLost(Exception):
    """Another process owns the run now: nothing may be written for it any more."""


@dataclass(frozen=True, slots=True)
class Command:
    """One act of one step on our own database. The path of the step that performs it identifies it."""


@dataclass(frozen=True, slots=True)
class UseSecrets(Command):
    """Open secrets of the workspace for one call. Answers `engine.secrets.Opened`, which is kept nowhere.

    `names` are sent and must be there; `others` are only taken out of what comes back, as far as they exist.
    """

    names: tuple[str, ...]
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GetValue(Command):
    """Read a key of the workspace's store. Answers `{"value": …, "version": n, "exists": bool}`."""

    key: str


@dataclass(frozen=True, slots=True)
class SetValue(Command):
    """Set a key. With `expected_version` only if it has that version (0: only if it does not exist).

    Answers `{"value", "version", "is_set"}`. `expires_seconds` forgets the key after a while.
    """

    key: str
    value: Json
    expected_version: int | None = None
    expires_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class CompareAndSet(Command):
    """Set a key only if it holds `expected` (null: absent). Answers `{"value", "version", "is_set"}`."""

    key: str
    expected: Json
    value: Json


@dataclass(frozen=True, slots=True)
class Increment(Command):
    """Add to a number, which is 0 when absent. Answers `{"value", "version"}`."""

    key: str
    by: float = 1


@dataclass(frozen=True, slots=True)
class DeleteValue(Command):
    """Forget a key. Answers `{"existed": bool}`."""

    key: str


@dataclass(frozen=True, slots=True)
class FindFile(Command):
    """Look up a file of the workspace. Answers `{"id": UUID, "name", "content_type", "size"}`, kept nowhere."""

    file_id: str


@dataclass(frozen=True, slots=True)
class ReadFilePiece(Command):
    """Read one piece of a file that was found. Answers its bytes, none behind the last; they are kept nowhere."""

    file_id: UUID
    seq: int


@dataclass(frozen=True, slots=True)
class EmitEvent(Command):
    """Publish an event in the workspace. Answers `{"event_id": …}`."""

    name: str
    payload: Json = None
    subject: str = ""


@dataclass(frozen=True, slots=True)
class CallWorkflow(Command):
    """Start a run of another workflow, or look at the one this step started before.

    Answers `{"run": uid, "status": word, "output": …, "error": …, "is_final": bool}`.
    """

    workflow: str
    version: str = "latest"
    inputs: Mapping[str, Json] = field(default_factory=dict)
    is_detached: bool = False


@dataclass(frozen=True, slots=True)
class CancelCall(Command):
    """Cancel the run that this step called, if it has not ended: nobody waits for it any more. Answers None."""


@dataclass(frozen=True, slots=True)
class AskApproval(Command):
    """Open an approval, or look at the one this step opened before.

    `kind` is "approval" or "unknown" (the question what became of an effect). Times are seconds from the opening.
    Answers `{"id", "state", "decided_by", "comment", "data", "votes", "expires_at"}`; `state` is pending, approved,
    rejected, expired, or for unknown effects happened, repeat, fail.
    """

    title: str
    message: str = ""
    kind: str = "approval"
    assignees: tuple[str, ...] = ()
    quorum: int = 1
    form: Mapping[str, Json] | None = None
    expires_seconds: float | None = None
    escalate_seconds: float | None = None
    escalate_to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TakeSignal(Command):
    """Take the oldest signal of this name that no step took yet; the same one when this step asks again.

    Answers `{"state": "received", "payload": …, "key": …}`, `{"state": "waiting", "until": …, "url": …}` or, from
    `timeout_seconds` after the first time it was asked on, `{"state": "timed_out"}`. `until` is an instant or null;
    `url` is null unless `with_url` asks for a one-time URL that sends the signal.
    """

    name: str
    with_url: bool = False
    timeout_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class MakeCallback(Command):
    """Make a one-time URL that sends a signal of this name to the run; the same one when this step asks again.

    Answers `{"url": …, "expires_at": …}`.
    """

    name: str
    expires_seconds: float | None = None
