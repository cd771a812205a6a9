"""Outboxes: tables of messages that are sent one by one, outside of every transaction.

A room registers its own when its app is ready; each worker process keeps a postman for it (`runtime/postman.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from brainops.core.registry import Registry


@dataclass(frozen=True, slots=True)
class Outbox:
    """What a postman needs. `claim` takes the message that is next, for a time; None when none is due.

    `send` sends a claimed one and stores what became of it; it raises nothing for what a receiver does. `beside` is how
    many one process sends at once.
    """

    claim: Callable[[], Any]
    send: Callable[[Any], None]
    has_due: Callable[[], bool]
    beside: int


known: Registry[Outbox] = Registry("outbox")
_calls: set[Callable[[], None]] = set()  # one for the postmen of each runtime of this process


def call_postmen() -> None:
    """Have the postmen of this process look now. Where there are none, somebody's next tick does it."""
    for call in tuple(_calls):
        call()


def answer_calls(call: Callable[[], None]) -> None:
    """Say how the postmen are called."""
    _calls.add(call)


def answer_no_more(call: Callable[[], None]) -> None:
    """Forget how they were called."""
    _calls.discard(call)
