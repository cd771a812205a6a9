"""Tell listeners what happened: each event once to each, in the order of the queue, whoever ticks and however often.

What happened stands in a queue, written in the transaction in which it happened. One dispatcher at a time takes it
away, and what its listeners write down stands or falls with that: killed anywhere in it, nothing happened and the next
one does it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import structlog
from django.db import InterfaceError, OperationalError, connection, transaction

from automation.engine.points import reach
from automation.services import system_events
from automation.services.event_listeners import Heard, Listener, listeners
from automation.store import event_queue, events
from automation.store.event_queue import Queued
from automation.store.events import BusEvent

BATCH = 200  # events of one transaction
EACH = 50  # of one workspace in it
AWAY = (OperationalError, InterfaceError)  # the database's doing, not the event's: the next round tries again

log = structlog.get_logger(__name__)


def has_queued() -> bool:
    """True when listeners are still to be told of something."""
    with connection.cursor() as cursor:
        return event_queue.has_queued(cursor)


def hears_ends() -> bool:
    """True when somebody listens to the ends of runs."""
    with connection.cursor() as cursor:
        return event_queue.is_wanted(cursor, "brainops.run.")


def dispatch_some() -> int:
    """Tell listeners of a batch; return how many events it was, 0 when none is left or somebody else dispatches."""
    try:
        told = _dispatch(BATCH)
    except AWAY:
        raise
    except Exception:
        log.exception("events_not_dispatched")
        told = _dispatch(1, is_alone=True)  # one of them cannot be told: the others are
    if told:
        for listener in listeners.values():
            listener.after()
    return told


def _dispatch(most: int, *, is_alone: bool = False) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        queued = event_queue.take(cursor, most=most, each=EACH)
        if queued:
            _Telling(cursor, queued).tell(is_alone=is_alone)
            event_queue.remove(cursor, [one.id for one in queued])
            reach("in_event_dispatch")
    return len(queued)


class _Telling:
    """One batch: its events are read, and each listener gets those that its holders want."""

    def __init__(self, cursor: Any, queued: Sequence[Queued]) -> None:
        self._cursor = cursor
        living = event_queue.living(cursor, {one.workspace_id for one in queued})
        self._queued = [one for one in queued if one.workspace_id in living]
        self._wishes = event_queue.wishes(cursor, living)

    def tell(self, *, is_alone: bool) -> None:
        """Bring every listener what it wants. An event that is alone is dropped where a listener cannot take it."""
        found = self._events(is_alone=is_alone)
        for name, listener in listeners.items():
            heard = [one for queued in self._queued if (one := self._heard(name, queued, found))]
            if not heard:
                continue
            if is_alone:
                self._try(name, listener, heard)
            else:
                listener.take(self._cursor, heard)

    def _events(self, *, is_alone: bool) -> Mapping[int, BusEvent]:
        """The events by their place in the queue; those of the installation are made now."""
        made: dict[int, UUID] = {}
        try:
            with transaction.atomic():
                made = system_events.make(self._cursor, [one for one in self._queued if one.event_id is None])
        except AWAY:
            raise
        except Exception:
            if not is_alone:
                raise
            log.exception("event_not_made", type=self._queued[0].type)
        ids = made | {one.id: one.event_id for one in self._queued if one.event_id is not None}
        read = events.read(self._cursor, set(ids.values()))
        return {position: read[event_id] for position, event_id in ids.items() if event_id in read}

    def _heard(self, listener: str, queued: Queued, found: Mapping[int, BusEvent]) -> Heard | None:
        event = found.get(queued.id)
        # a workspace's wishes are looked up by the event's own workspace: nobody hears what is another's
        if event is None or event.workspace_id != queued.workspace_id:
            return None
        wishes = self._wishes.get(event.workspace_id, ())
        holders = {wish.holder for wish in wishes if wish.listener == listener and wish.fits(event.event.type)}
        return Heard(event, queued.id, tuple(sorted(holders))) if holders else None

    def _try(self, name: str, listener: Listener, heard: list[Heard]) -> None:
        try:
            with transaction.atomic():
                listener.take(self._cursor, heard)
        except AWAY:
            raise
        except Exception:
            log.exception("event_dropped", listener=name, event_id=str(heard[0].event.id))
