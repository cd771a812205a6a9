"""What every broker's client offers: messages, in an order that can be told apart, acknowledged when it is time.

A client confirms nothing by itself. Whoever drives it stores what the messages start, and settles them after that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

Json = Any


class BrokerError(Exception):
    """The broker cannot be used now, or refuses us. The message says which one and why, never a secret."""

    def __init__(self, message: str, *, code: str = "broker_failed") -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class NotThere:
    """The absence of a body."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    `key` names it within its source, the same however often it is delivered. `body` is what the sender wrote; None
    where the broker keeps it as `fields` of its own. `facts` is what the broker says about it, plain JSON. `token` is
    the client's own.
    """

    key: str
    body: bytes | None
    facts: Mapping[str, Json] = field(default_factory=dict)
    fields: Mapping[str, bytes] = field(default_factory=dict)
    at: datetime | None = None
    token: Any = None


class Stream(Protocol):
    """A connection that messages come from. All of it is used by one thread. Methods raise BrokerError."""

    def fetch(self, most: int, wait_seconds: float) -> Sequence[Message]:
        """The next messages, oldest first; none when none came in time. Waits `wait_seconds` at most."""

    def rest(self, seconds: float) -> None:
        """Let time pass without asking for more, and stay connected."""

    def settle(self, messages: Sequence[Message]) -> None:
        """Tell the broker that these are taken. Called after the commit; what is lost here is delivered again."""

    def cursor(self, taken: Sequence[Message], waiting: Sequence[Message]) -> Json:
        """What to store together with the runs of `taken`, for the next client to go on from; None for nothing."""

    def close(self) -> None:
        """End the connection; never raises."""
