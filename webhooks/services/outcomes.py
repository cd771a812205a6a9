"""What a request to an endpoint can become."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from brainops.core.errors import AppError
from webhooks.signatures.contract import Reply


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request as it came. `headers` have lower-case names.

    `body` is the raw bytes, empty when it was too large to read; `size_bytes` is its size at the sender.
    """

    headers: dict[str, str]
    body: bytes
    size_bytes: int
    query: str = ""
    remote_addr: str | None = None
    is_test: bool = False
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The delivery is stored and its run stands in the database."""

    event_id: UUID
    run_id: int
    run_uid: UUID
    wait_seconds: float = 0  # how long the caller wants to wait for the run's own answer; 0 = not at all


@dataclass(frozen=True, slots=True)
class Repeated:
    """The delivery was taken before. `reason` says why its first copy started no run, when it did not."""

    event_id: UUID | None
    run_uid: UUID | None
    reason: str = ""
    wants_response: bool = False


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The delivery is genuine and stored, and starts no run."""

    event_id: UUID
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The request is refused with `error`. It is stored unless too many were refused in this minute."""

    error: AppError
    event_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """A handshake got its answer. It is stored unless too many unsigned ones came in this hour."""

    event_id: UUID | None
    reply: Reply


Outcome = Accepted | Repeated | Acknowledged | Refused | Answered


@dataclass(frozen=True, slots=True)
class Genuine:
    """A verified delivery that starts a run: its id, its event type, its parsed body and the run's inputs."""

    delivery_id: str | None
    event_type: str
    body: Any
    inputs: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Noted:
    """A verified delivery that starts no run, and why."""

    delivery_id: str | None
    event_type: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Greeting:
    """A handshake and its answer. `is_proven`: it was signed as a delivery is."""

    reply: Reply
    event_type: str = ""
    is_proven: bool = False


@dataclass(frozen=True, slots=True)
class Unfit:
    """A request that is refused, with what is known of it. `is_verified`: its signature was right."""

    error: AppError
    delivery_id: str | None = None
    is_verified: bool = False


Judgement = Genuine | Noted | Greeting | Unfit
