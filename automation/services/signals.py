"""Signals: news from outside for one run. Whether one comes before, during or after the wait, it wakes the run once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from django.db import connection, transaction

from automation.engine.points import reach
from automation.engine.status import RunStatus
from automation.models import Run
from automation.services.rights import require_on_workflow
from automation.steps.wait_signal import NAME_PATTERN
from automation.store import signals
from automation.store.bell import ring_on_commit
from automation.store.callback_tokens import MARK, MOST_CHARACTERS, hash_of
from automation.store.news import give_news
from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission
from brainops.accounts.scoping import get_scoped
from brainops.audit.actor import Actor
from brainops.audit.services import record
from brainops.core.errors import Conflict, InvalidInput, NotFound, Problem, TooLarge

MOST_WAITING = 1000  # signals of one run that no step has taken

Json = Any


@dataclass(frozen=True, slots=True)
class SentSignal:
    """A signal that stands in the database; `is_duplicate` when an earlier call with its key put it there."""

    run_uid: UUID
    name: str
    key: str | None
    is_duplicate: bool = False


def send(caller: Caller, run_uid: UUID | str, name: str, *, payload: Json = None, key: str | None = None) -> SentSignal:
    """Send a run a signal. A second one with the same name and key changes nothing.

    Raises NotFound, PermissionDenied, InvalidInput for the name, TooLarge for the payload, and Conflict:
    `run_is_final`, `signal_key_reused` for another payload, `too_many_signals`.
    """
    run = get_scoped(Run.objects.only("id", "uid", "workspace_id", "workflow_id"), caller, run_uid, by="uid")
    require_on_workflow(caller, Permission.RUNS_SIGNAL, run.workflow_id)
    _check_name(name)
    text = _encoded(payload)
    with transaction.atomic(), connection.cursor() as cursor:
        status = signals.lock_run(cursor, run.id)
        known = signals.find_signal(cursor, run.id, name, key) if key is not None else None
        if known is not None:
            _refuse_other_payload(name, key, known[0], orjson.loads(text))
            return SentSignal(run.uid, name, key, is_duplicate=True)
        _put(cursor, run.id, status, name, key=key, payload=text)
        record(
            actor=caller,
            workspace_id=run.workspace_id,
            action="run.signal",
            target_kind="run",
            target_id=run.uid,
            summary=f"Sent the signal {name}.",
        )
    return SentSignal(run.uid, name, key)


def use_callback(token: str, *, payload: Json = None) -> SentSignal:
    """Send the signal of a one-time URL. The token is the proof, and works once.

    Raises NotFound for a token we never made, Conflict: `callback_used`, `callback_expired`, `run_is_final`.
    """
    if not token.startswith(MARK) or len(token) > MOST_CHARACTERS:
        raise NotFound
    text = _encoded(payload)
    token_hash = hash_of(token)
    with transaction.atomic(), connection.cursor() as cursor:
        found = signals.find_callback(cursor, token_hash)
        if found is None:
            raise NotFound
        status = signals.lock_run(cursor, found.run_id)
        if not signals.use_callback(cursor, token_hash):
            raise _unusable(cursor, token_hash)
        _put(cursor, found.run_id, status, found.name, key=None, payload=text)
        record(
            actor=Actor.anonymous("one-time URL"),
            workspace_id=found.workspace_id,
            action="run.callback",
            target_kind="run",
            target_id=found.run_uid,
            summary=f"The one-time URL of step {found.path!r} sent the signal {found.name}.",
        )
    return SentSignal(found.run_uid, found.name, None)


def _put(cursor: Any, run_id: int, status: int | None, name: str, *, key: str | None, payload: str) -> None:
    """Store the signal and wake the run, under the lock of its row."""
    if status is None:
        raise NotFound
    if RunStatus(status).is_final:
        word = RunStatus(status).word
        said = f"The run has ended already: it is {word}. Nobody waits for the signal."
        raise Conflict(said, code="run_is_final", details={"run_status": word})
    if signals.count_waiting(cursor, run_id) >= MOST_WAITING:
        said = f"{MOST_WAITING} signals wait for steps of this run to take them, the most there may be."
        raise Conflict(said, code="too_many_signals")
    signals.put_signal(cursor, run_id, name, key=key, payload=payload)
    give_news(cursor, [run_id])
    reach("in_signal")
    ring_on_commit()


def _unusable(cursor: Any, token_hash: bytes) -> Conflict:
    used_at = signals.used_at(cursor, token_hash)
    if used_at is None:
        return Conflict("This URL has expired.", code="callback_expired")
    return Conflict(f"This URL works once, and was used at {used_at.isoformat()}.", code="callback_used")


def _check_name(name: str) -> None:
    if re.fullmatch(NAME_PATTERN.strip("^$"), name) is None:
        said = "The name of a signal is a letter or digit and up to 99 letters, digits, dots, dashes or underscores"
        said = f"{said}, got {name[:60]!r}."
        raise InvalidInput(said, problems=[Problem("invalid_name", said, parameter="name")])


def _encoded(payload: Json) -> str:
    text = orjson.dumps(payload).decode()
    if refused := signals.too_large("The payload", text):
        raise TooLarge(refused)
    return text


def _refuse_other_payload(name: str, key: str | None, known: Json, given: Json) -> None:
    if known != given:
        said = f"The signal {name} was sent before with the key {key!r} and another payload. Use another key."
        raise Conflict(said, code="signal_key_reused")
