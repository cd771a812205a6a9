"""The contract of a signature scheme: how a sender proves that a delivery is its own.

A scheme is one file of this folder holding `SCHEME`; its key is the file's name. Schemes are pure: raw bytes,
lower-case headers, secrets and the time in, a verdict out. They never parse the body: what was signed are the bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Headers = Mapping[str, str]  # names in lower case


@dataclass(frozen=True, slots=True)
class Attempt:
    """A delivery to judge. `now` is seconds since the epoch; `secrets` are all that are good at that moment."""

    secrets: Sequence[str]
    headers: Headers
    body: bytes
    now: float
    tolerance_seconds: float = 300


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the delivery is the sender's own.

    `code` and `message` say why not. `delivery_id` is the sender's name for the delivery, the same on each repeat;
    an unverified one is only good for the log.
    """

    ok: bool
    code: str = ""
    message: str = ""
    delivery_id: str | None = None


def verified(delivery_id: str | None) -> Verdict:
    """The delivery is genuine."""
    return Verdict(ok=True, delivery_id=delivery_id)


def refused(code: str, message: str, *, delivery_id: str | None = None) -> Verdict:
    """The delivery proves nothing; `message` is a sentence for the sender's developer."""
    return Verdict(ok=False, code=code, message=message, delivery_id=delivery_id)


def _no_event(_headers: Headers, _body: Any) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Scheme:
    """A signature scheme.

    - `new_secret()` makes a secret, None when only the sender can make it.
    - `refusal_of(secret)` is a sentence when a given secret cannot serve, None when it can.
    - `verify(attempt)` judges, in time that does not depend on where a signature differs.
    - `sign(secret, body, delivery_id, event, now)` returns the headers a sender would send; None when we cannot sign.
    - `event_type(headers, body)` names what happened, from headers or the parsed body of a verified delivery.
    - `pings` are event types that only try the connection: answered, without a run.
    - `form_field` is the form field that carries the JSON body when a sender posts it as a form.
    """

    key: str
    title: str
    description: str
    verify: Callable[[Attempt], Verdict]
    new_secret: Callable[[], str] | None
    refusal_of: Callable[[str], str | None]
    sign: Callable[[str, bytes, str, str, float], dict[str, str]] | None = None
    event_type: Callable[[Headers, Any], str] = _no_event
    pings: frozenset[str] = frozenset()
    form_field: str | None = None
    is_signed: bool = True
