"""The seam of the event bus: a listener says what it wants, and takes each event once in the dispatcher's transaction.

A room registers its listener when its app is ready, and says for each of its holders (a trigger, a subscription) which
types it wants. Where nobody wants a type, an event of it is kept for those who look it up and costs nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from automation.store import event_queue
from automation.store.events import BusEvent
from brainops.core.registry import Registry

Json = Any


@dataclass(frozen=True, slots=True)
class Heard:
    """An event, its place in the order of all, and the holders of the listener whose wish fits its type."""

    event: BusEvent
    position: int
    holders: tuple[UUID, ...]


def _nowhere(_event_ids: Collection[UUID]) -> Mapping[UUID, Sequence[Mapping[str, Json]]]:
    return {}


@dataclass(frozen=True, slots=True)
class Listener:
    """What listens to the bus.

    `take(cursor, heard)` runs in the dispatcher's transaction and writes down what is to be done; it does no I/O of
    its own, for all others wait. What it raises drops a single event for it, after it was brought alone.
    `after()` is called when a batch that it took is committed. `went(event ids)` says where events went, for people:
    each row has `listener`, `id`, `state` and what else is worth knowing.
    """

    take: Callable[[Any, Sequence[Heard]], None]
    after: Callable[[], None] = lambda: None
    went: Callable[[Collection[UUID]], Mapping[UUID, Sequence[Mapping[str, Json]]]] = _nowhere


listeners: Registry[Listener] = Registry("event listener")


def want(listener: str, holder: UUID, *, workspace_id: UUID, types: Collection[str]) -> None:
    """Say what a holder wants from now on, in the caller's transaction: exact types, `prefix*`, or `*` for all.

    Takes the place of what it wanted before; no types: nothing.
    """
    with connection.cursor() as cursor:
        event_queue.want(cursor, workspace_id, listener, holder, types)


def want_no_more(listener: str, holder: UUID) -> None:
    """Forget what a holder wants."""
    with connection.cursor() as cursor:
        event_queue.want_no_more(cursor, listener, holder)
