"""The contract of a signature scheme: how a sender proves that a delivery is its own.

A scheme is one file of this folder holding `SCHEME`; its key is the file's name. Schemes are pure: raw bytes,
lower-case headers, secrets and the time in, a verdict out. What was signed are the bytes: only a scheme whose proof
stands inside the body asks for the parsed one (`Attempt.read`), and none parses for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

Headers = Mapping[str, str]  # names in lower case
Options = Mapping[str, Any]
NOTHING: Mapping[str, Any] = MappingProxyType({})


def _unread() -> Any:
    return None


def _nothing() -> Mapping[str, Any]:
    return NOTHING


@dataclass(slots=True)  # not frozen: that would cost each delivery a microsecond more
class Attempt:
    """A delivery to judge. `now` is seconds since the epoch; `secrets` are all that are good at that moment.

    `url` is the public address as it was entered at the sender, with the query as it came. `options` are the scheme's
    own, checked. `read()` is the parsed body, None when it cannot be read. `certificates` are those that the scheme
    asked for (`Scheme.certificates`), PEM by URL.
    """

    secrets: Sequence[str]
    headers: Headers
    body: bytes
    now: float
    tolerance_seconds: float = 300
    method: str = "POST"
    url: str = ""
    query: str = ""
    options: Options = field(default_factory=_nothing)
    read: Callable[[], Any] = _unread
    certificates: Mapping[str, bytes] = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True)
class Draft:
    """A delivery that a sender would make: what `Scheme.sign` signs."""

    secret: str
    body: bytes
    delivery_id: str
    event: str
    now: float
    url: str = ""
    options: Options = field(default_factory=_nothing)


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


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handshake is answered. It never starts a run.

    `confirm_url` is an address that has to be called afterwards; the scheme has checked its host (`confirm_host`).
    """

    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=_nothing)
    note: str = "A handshake was answered. It starts no run."
    confirm_url: str = ""


@dataclass(frozen=True, slots=True)
class Certificates:
    """Where a scheme's certificates come from: `wanted` names the addresses, of allowed hosts only.

    `has_chain`: the published file holds the chain up to a root that this server trusts, which is then checked.
    """

    wanted: Callable[[Attempt], Sequence[str]]
    has_chain: bool


def verified(delivery_id: str | None) -> Verdict:
    """The delivery is genuine."""
    return Verdict(ok=True, delivery_id=delivery_id)


def refused(code: str, message: str, *, delivery_id: str | None = None) -> Verdict:
    """The delivery proves nothing; `message` is a sentence for the sender's developer."""
    return Verdict(ok=False, code=code, message=message, delivery_id=delivery_id)


def _no_event(_headers: Headers, _body: Any) -> str:
    return ""


def _always_fits(_options: Options) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class Scheme:
    """A signature scheme.

    - `setup` says what is entered where at the sender.
    - `new_secret()` makes a secret, None when only the sender can make it. `secret_may_follow`: the sender shows it
      after it was told the address, so an endpoint may begin without one, and refuses everything until then.
      `takes_secret` is False when there is nothing secret between the two.
    - `refusal_of(secret)` is a sentence when a given secret cannot serve, None when it can.
    - `options` is the JSON Schema of the scheme's options, None when it has none; `refusal_of_options` says what that
      schema cannot.
    - `verify(attempt)` judges, in time that does not depend on where a signature differs.
    - `sign(draft)` returns the headers a sender would send; None when we cannot sign.
    - `event_type(headers, body)` names what happened, from headers or the parsed body of a verified delivery.
    - `delivery_id(body)` is the sender's name for a verified delivery when it stands in the body.
    - `pings` are event types that only try the connection: answered, without a run.
    - `form_field` is the form field that carries the JSON body when a sender posts it as a form; `is_json`: the body is
      JSON whatever its content type says.
    - `greet(attempt)` answers a handshake that is not signed, or refuses it; None when the request is none.
      `methods` are those that only handshakes come with. `confirm(attempt, body)` answers one that was verified.
    """

    key: str
    title: str
    description: str
    verify: Callable[[Attempt], Verdict]
    new_secret: Callable[[], str] | None
    refusal_of: Callable[[str], str | None]
    sign: Callable[[Draft], dict[str, str]] | None = None
    event_type: Callable[[Headers, Any], str] = _no_event
    pings: frozenset[str] = frozenset()
    form_field: str | None = None
    is_signed: bool = True
    setup: str = ""
    takes_secret: bool = True
    secret_may_follow: bool = False
    options: Mapping[str, Any] | None = None
    refusal_of_options: Callable[[Options], str | None] = _always_fits
    tolerance_seconds: int = 300
    delivery_id: Callable[[Any], str | None] | None = None
    is_json: bool = False
    greet: Callable[[Attempt], Reply | Verdict | None] | None = None
    methods: frozenset[str] = frozenset()
    confirm: Callable[[Attempt, Any], Reply | None] | None = None
    confirm_host: str = ""  # a pattern
    certificates: Certificates | None = None
