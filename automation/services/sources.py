"""Sources: look at what polled triggers watch, and take what is new. I/O happens outside of every transaction.

The cursor, the ledger and the runs are committed together, under the fence of whoever holds the source. Killed before,
nothing happened and the next one looks again; killed after, all that is left to do is to settle, which comes again.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import structlog
from django.db import DatabaseError, connection, connections, transaction

from automation.engine.points import reach
from automation.models import Trigger
from automation.services import arrivals, poll_context
from automation.services.outboxes import Outbox
from automation.services.poll_context import Opened
from automation.store import arrivals as ledger
from automation.store import bell
from automation.store import sources as store
from automation.store.sources import Held
from automation.triggers import all_trigger_kinds
from automation.triggers.contract import Config, First, Item, Json, Polled, Polling, SourceError, TriggerKind
from brainops.core.egress.errors import EgressError
from brainops.core.errors import AppError
from brainops.core.redact import redact_line

BESIDE = 8  # sources at once, in one process: mostly they wait for somebody far away
HOLD_SECONDS = store.LEASE_SECONDS / 4
MOST_HOLDS = 60  # so a look may take a quarter of an hour
MOST_ITEMS = 100  # that a kind is asked for at one look
MOST_SETTLED = 500  # at one look
SHORTEST_SECONDS, LONGEST_SECONDS = 1.0, 86_400.0  # between two looks
RESTING_SECONDS = 60.0  # between two looks at a workflow that is switched off
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 15.0, 3_600.0  # after failures
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 5.0, 900.0  # for room
LONGEST_ERROR = 1_000  # characters

log = structlog.get_logger(__name__)


class Lost(Exception):
    """Somebody else has taken the source over, or its trigger is gone."""


def follow(kind: TriggerKind, trigger: Trigger, before: Config | None) -> None:
    """A trigger was saved, in this transaction: look at its source, from the beginning when it is another one."""
    if kind.polling is None:
        return
    polling, config = kind.polling, trigger.config
    is_other = before is not None and polling.origin(before) != polling.origin(config)
    with connection.cursor() as cursor:
        is_active = trigger.is_active and polling.polls(config)
        store.follow(cursor, trigger.id, trigger.workspace_id, is_active=is_active, begins_anew=is_other)


def has_due() -> bool:
    """True when a source is to be looked at: one look into an index."""
    with connection.cursor() as cursor:
        return store.has_due(cursor)


def claim() -> Held | None:
    """Take the source that is due for longest."""
    with connection.cursor() as cursor:
        return store.claim(cursor)


def outbox() -> Outbox:
    """How a worker looks at sources: as it sends messages, some beside each other."""
    return Outbox(claim=claim, send=look, has_due=has_due, beside=BESIDE)


def look(held: Held) -> None:
    """Look at a source that was claimed, take what is new, and let it go. Never raises for what the source does."""
    trigger = Trigger.objects.select_related("workflow").filter(id=held.trigger_id).first()
    if trigger is None:
        return  # its source went with it
    try:
        with _holding(held):
            pause = _look(held, trigger)
    except Lost:
        log.info("source_lost", trigger_id=str(held.trigger_id))
        return
    except Exception as error:  # noqa: BLE001 - one whose items break something here must not stop the others
        pause = _failed(held, refusal_of(error))
    with connection.cursor() as cursor:
        store.release(cursor, held, seconds=pause)


@contextmanager
def _holding(held: Held) -> Iterator[None]:
    """Hold on to the source while somebody far away takes their time; one that has hung is let go after a while."""
    is_over = threading.Event()

    def hold_on() -> None:
        for _ in range(MOST_HOLDS):
            if is_over.wait(HOLD_SECONDS):
                return
            try:
                with connection.cursor() as cursor:
                    store.hold(cursor, held)
            except DatabaseError:
                log.warning("source_not_held", trigger_id=str(held.trigger_id), exc_info=True)
            finally:
                connections.close_all()

    thread = threading.Thread(target=hold_on, name="source-hold", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _look(held: Held, trigger: Trigger) -> float:
    """Look once; return the seconds to the next look."""
    kind = all_trigger_kinds().get(trigger.kind)
    if kind is None or kind.polling is None:
        return _failed(held, SourceError(f"There is no trigger kind {trigger.kind!r} here.", code="unknown_kind"))
    if not _may_run(trigger):
        return RESTING_SECONDS
    polling, opened = kind.polling, Opened()
    context = poll_context.of(trigger, held, opened, most=MOST_ITEMS)
    unsettled = _settle(polling, context)
    connections.close_all()  # nothing is held while somebody far away takes their time
    try:
        polled = polling.poll(context)
        reach("after_poll")
    except Exception as error:  # noqa: BLE001 - whatever a source does, the others go on
        return _failed(held, refusal_of(error), opened)
    pause = _take(held, trigger, polling, polled)
    if unsettled is None:
        unsettled = _settle(polling, context)
    if unsettled is not None:
        _note_failure(held, unsettled, opened, counts=False)
    return pause


def _may_run(trigger: Trigger) -> bool:
    workflow = trigger.workflow
    is_on = trigger.is_active and workflow.is_active and workflow.archived_at is None
    return is_on and workflow.current_version_id is not None


def _take(held: Held, trigger: Trigger, polling: Polling, polled: Polled) -> float:
    """Commit what was found, all of it or nothing. Raises Lost."""
    skip = not held.is_begun and polling.first(trigger.config) == First.SKIP
    with transaction.atomic(), connection.cursor() as cursor:
        heard = arrivals.listening(cursor, [held.trigger_id])
        if not heard or not store.lock(cursor, held):
            raise Lost
        if not heard[0].may_run:
            return RESTING_SECONDS
        taken = arrivals.take(cursor, heard[0], polled.items, skip=skip)
        waiting = next((one for one in taken if one.waits), None)
        has_arrived = any(one.is_new and not one.waits for one in taken) and not skip
        if waiting is not None:
            store.keep_waiting(cursor, held, waits_for=waiting.reason, has_arrived=has_arrived)
        else:
            is_begun = held.is_begun or not polled.has_more
            store.advance(cursor, held, position=polled.cursor, is_begun=is_begun, has_arrived=has_arrived)
        reach("in_poll")
    reach("after_poll_commit")
    if any(one.is_new and one.run_uid for one in taken):
        bell.ring()
    if waiting is not None:
        return _wait_seconds(held)
    return 0.0 if polled.has_more else _every(polling, trigger.config)


def _settle(polling: Polling, context: Any) -> SourceError | None:
    """Tell the source what was taken; what it does not hear now, it is told at the next look."""
    if polling.settle is None:
        return None
    trigger_id = context.trigger.id
    with connection.cursor() as cursor:
        rows = ledger.unsettled(cursor, trigger_id, most=MOST_SETTLED)
    if not rows:
        return None
    connections.close_all()
    try:
        polling.settle(context, [Item(row.key, None, row.at, row.handle) for row in rows])
        reach("after_settle")
    except Exception as error:  # noqa: BLE001 - what was taken stands; only the source does not know it yet
        return refusal_of(error)
    with connection.cursor() as cursor:
        ledger.settle(cursor, [row.id for row in rows])
    return None


def refusal_of(error: Exception) -> SourceError:
    """What people are told of an error in a kind."""
    if isinstance(error, SourceError):
        return error
    if isinstance(error, EgressError):
        return SourceError(error.message, code=error.code)
    if isinstance(error, AppError):
        return SourceError(error.message, code=error.code)
    log.error("source_broke", exc_info=error)
    return SourceError("Something went wrong on our side; the log says what.", code="internal_error")


def _failed(held: Held, error: SourceError, opened: Opened | None = None) -> float:
    """Note it, and say how long to wait: twice as long after each failure, with jitter, an hour at most."""
    _note_failure(held, error, opened)
    grown = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(held.failures, 16))
    return max(grown * random.uniform(0.5, 1.0), error.retry_after_seconds or 0.0)  # noqa: S311 - no secret


def _note_failure(held: Held, error: SourceError, opened: Opened | None, *, counts: bool = True) -> None:
    message = opened.mask(error.message) if opened else error.message
    told = redact_line(message).replace("\x00", "\ufffd")[:LONGEST_ERROR]
    log.warning("source_failed", trigger_id=str(held.trigger_id), code=error.code, failures=held.failures + 1)
    with connection.cursor() as cursor:
        store.fail(cursor, held, message=told, code=error.code[:100], counts=counts)


def _every(polling: Polling, config: Mapping[str, Json]) -> float:
    return min(max(float(polling.every(config)), SHORTEST_SECONDS), LONGEST_SECONDS)


def _wait_seconds(held: Held) -> float:
    """As long as it has waited already."""
    return min(max(held.waited_seconds or 0.0, FIRST_WAIT_SECONDS), LONGEST_WAIT_SECONDS)


def look_now(trigger_id: UUID) -> bool:
    """Look at a trigger's source as soon as possible; False when it is not looked at at all."""
    with connection.cursor() as cursor:
        return store.look_now(cursor, trigger_id)
