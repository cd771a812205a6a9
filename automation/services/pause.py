"""Pause and resume the whole installation: workers end what they hold and claim nothing new.

Requests, webhooks and schedules go on to be accepted; their runs wait. For maintenance: of the targets that workflows
call, of a machine, before a backup that should hold no run under way.
"""

from __future__ import annotations

import time

from django.db import connection, transaction

from automation.store import bell
from automation.store import pause as store
from brainops.audit.actor import Actor
from brainops.audit.services import record

LOOK_SECONDS = 0.2


def pause(actor: Actor) -> bool:
    """Let workers claim nothing from their next heartbeat on; False when it was so already."""
    with transaction.atomic(), connection.cursor() as cursor:
        has_changed = store.pause(cursor)
        if has_changed:
            _record(actor, "pause", "Workers were told to claim nothing more.")
    return has_changed


def resume(actor: Actor) -> bool:
    """Let workers claim again; False when they did."""
    with transaction.atomic(), connection.cursor() as cursor:
        has_changed = store.resume(cursor)
        if has_changed:
            _record(actor, "resume", "Workers were told to claim again.")
            bell.ring_on_commit()
    return has_changed


def _record(actor: Actor, verb: str, summary: str) -> None:
    action = f"workers.{verb}"
    record(actor=actor, workspace_id=None, action=action, target_kind="workers", target_id="all", summary=summary)


def paused_seconds() -> float | None:
    """For how long nothing has been claimed on purpose; None when workers claim."""
    with connection.cursor() as cursor:
        return store.paused_seconds(cursor)


def wait_until_quiet(seconds: float) -> int:
    """Wait until every worker has heard of it and none holds a run, at most `seconds`; how many are still held."""
    ends_at = time.monotonic() + seconds
    while True:
        with connection.cursor() as cursor:
            held, deaf = store.still_at_work(cursor)
        if not (held or deaf) or time.monotonic() >= ends_at:
            return held
        time.sleep(LOOK_SECONDS)
