"""What a request to an endpoint can become."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from brainops.core.errors import AppError, InvalidInput
from webhooks.services.answering import AT_ONCE, Answering
from webhooks.signatures.contract import Reply


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request as it came. `headers` have lower-case names.

    `body` is the raw bytes, empty when it was too large to read; `size_bytes` is its size at the sender. `path` is what
    stands behind the endpoint's own address, decoded once, without a slash before it.
    """

    headers: dict[str, str]
    body: bytes
    size_bytes: int
    query: str = ""
    remote_addr: str | None = None
    is_test: bool = False
    method: str = "POST"
    path: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The delivery is stored and its run stands in the database."""

    event_id: UUID
    run_id: int
    run_uid: UUID
    answering: Answering = AT_ONCE  # what the caller gets, and how long it wants to wait for that


@dataclass(frozen=True, slots=True)
class Repeated:
    """The delivery was taken before. `reason` says why its first copy started no run, when it did not."""

    event_id: UUID | None
    run_uid: UUID | None
    reason: str = ""
    answering: Answering = AT_ONCE


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


@dataclass(frozen=True, slots=True)
class Buffered:
    """The delivery is genuine and stored, and starts its run when its trigger and workflow are switched on again."""

    event_id: UUID


Outcome = Accepted | Repeated | Acknowledged | Refused | Answered | Buffered


@dataclass(frozen=True, slots=True)
class Genuine:
    """A verified delivery that starts a run: its id, its event type, its parsed body and the run's inputs.

    `path` are the path parameters, `text` is the text of an XML body. `refusal` says what is wrong with the inputs,
    while a condition is to be asked first.
    """

    delivery_id: str | None
    event_type: str
    body: Any
    inputs: dict[str, Any]
    path: Mapping[str, str] = field(default_factory=dict)
    text: str | None = None
    refusal: InvalidInput | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A verified delivery that waits until its trigger and workflow are switched on, and those before it are gone."""

    genuine: Genuine


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
    """A request that is refused, with what is known of it. `is_verified`: its signature was right.

    `reason` and `detail` stand in the log instead of what the answer says, where a stranger must not learn it.
    """

    error: AppError
    delivery_id: str | None = None
    is_verified: bool = False
    reason: str = ""
    detail: str = ""


Judgement = Genuine | Held | Noted | Greeting | Unfit
