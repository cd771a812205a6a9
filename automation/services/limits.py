"""Limits of flows: what a start is told that found its limit full, and who goes on when there is room again."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from django.db import connection, transaction

from automation.engine.expressions import ExpressionError
from automation.engine.limits import CANCEL_OLD, Slot
from automation.engine.status import RunStatus
from automation.store import bell, limits
from automation.store.limits import LimitFull
from brainops.core.errors import AppError, Conflict, InvalidInput, Problem, TooManyRequests

COME_BACK_SECONDS = 5  # after a start that found the queue of its limit full


class StartSkipped(Conflict):
    """A start was left out because its limit is full and `when_full` says skip: no error, and no run."""

    code = "limit_skipped"
    title = "Left out"


def refusal(full: LimitFull) -> AppError:
    """What whoever wanted to start a run is told."""
    details = {"limit": {"key": full.slot.key, "capacity": full.room.capacity, "under_way": full.room.under_way}}
    if full.is_skip:
        return StartSkipped(f"{full} This start is left out, as settings.concurrency.when_full says.", details=details)
    if full.code == "limit_full":
        return Conflict(f"{full} Start it again when one of them has ended.", code=full.code, details=details)
    said = f"{full} No more may wait (settings.concurrency.queue_limit). Start it again later."
    return TooManyRequests(said, code=full.code, details=details, retry_after_seconds=COME_BACK_SECONDS)


def key_refused(error: ExpressionError) -> InvalidInput:
    """The key of a limit or of a debounce cannot be told from what was sent."""
    said = f"Where this start belongs cannot be told: {error}"
    return InvalidInput(said, problems=[Problem("limit_key", said, "/inputs")])


def after_start(slot: Slot | None, status: RunStatus) -> None:
    """When the caller's transaction commits: cancel the runs that a blocked newer one overtakes, where that is said."""
    if slot is not None and slot.when_full == CANCEL_OLD and status is RunStatus.BLOCKED:
        _on_commit([slot.key])


def after_end(run_ids: Iterable[int]) -> None:
    """When the caller's transaction commits: let go on who waited for the runs that ended in it.

    Worth calling for a quick answer only: the tick makes room too, within a second.
    """
    with connection.cursor() as cursor:
        _on_commit(limits.keys_of(cursor, run_ids))


def make_room(keys: Iterable[str]) -> int:
    """Admit the runs that wait under some keys, each in a short transaction; return how many are ready now."""
    ready = 0
    for key in keys:
        with transaction.atomic(), connection.cursor() as cursor:
            ready += limits.make_room(cursor, [key])
    if ready:
        bell.ring()
    return ready


def _on_commit(keys: list[str]) -> None:
    if keys:  # robust: what was promised stands already, and the tick does the same
        transaction.on_commit(partial(make_room, keys), robust=True)
