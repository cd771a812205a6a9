"""Actor: who acted, as the audit log names it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol
from uuid import UUID

ActorWord = Literal["user", "api_key", "system", "anonymous"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acted. `label` stays readable after the account is gone."""

    kind: ActorWord
    id: UUID | None
    label: str

    @classmethod
    def system(cls, label: str) -> Actor:
        """The product itself: a schedule, a command."""
        return cls("system", None, label)

    @classmethod
    def anonymous(cls, label: str = "anonymous") -> Actor:
        """Nobody known."""
        return cls("anonymous", None, label)

    @property
    def actor(self) -> Actor:
        """Itself, so that an actor can stand wherever something that acts for one can."""
        return self


class HasActor(Protocol):
    """Anything that acts for somebody, such as the Caller of accounts."""

    @property
    def actor(self) -> Actor: ...
