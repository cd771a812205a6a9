"""The contract of connectors: declared data plus sans-I/O generators.

An action never opens a socket. It yields a `Request`, is sent the `Response`, and returns a `Result` or a
`Failure`; the runner owns the network, deadlines, idempotency headers and redaction:

    def run(call: ActionCall) -> Steps:
        response = yield Request("GET", f"https://api.example/things/{call.config['id']}")
        return Result({"thing": response.json()})

A poll looks in the same way for what is new, and returns what it `Found`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from integrations.messages import Json, Request, Response


class Effect(StrEnum):
    """What an action does at the service it calls."""

    PURE = "pure"
    READ = "read"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    SEND = "send"

    @property
    def is_write(self) -> bool:
        """True when a repeat can be noticed at the service."""
        return self not in (Effect.PURE, Effect.READ)


class Idempotency(StrEnum):
    """How safe a repeat of an action is."""

    NATURAL = "natural"  # repeating it changes nothing (reads, PUT of a whole value)
    KEY = "key"  # the service is sent a stable idempotency key
    NONE = "none"  # a repeat is a second effect


class ErrorClass(StrEnum):
    """What kind of failure it was; decides whether another attempt makes sense."""

    TRANSIENT = "transient"
    RATE_LIMIT = "rate_limit"
    AUTH = "auth"
    USER = "user"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line for the run's log. `level` is debug, info, warning or error."""

    level: str
    message: str
    fields: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Result:
    """The action succeeded; `output` is JSON and fits the action's `output_schema`."""

    output: Json = None
    logs: tuple[LogLine, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """The action failed.

    `type` is stable ("http_status", "blocked_target", "read_timeout"); `error_class` is a value of `ErrorClass`.
    `retry_after_seconds` is what the service asked for. `is_outcome_unknown` is true when a write may have
    happened although no answer arrived.
    """

    type: str
    message: str
    error_class: str = ErrorClass.USER
    retry_after_seconds: float | None = None
    details: Mapping[str, Json] = field(default_factory=dict)
    is_outcome_unknown: bool = False
    logs: tuple[LogLine, ...] = ()


@dataclass(frozen=True, slots=True)
class ActionCall:
    """What an action may know about its call.

    `config` is rendered and checked against `config_schema`; `path` is the step's in its run, `attempt` counts from 1.
    """

    config: Mapping[str, Json]
    path: str = ""
    attempt: int = 1


Outcome = Result | Failure
Steps = Generator[Request, Response, Outcome]


@dataclass(frozen=True, slots=True)
class Example:
    """A shown use of an action. `fixture` names the recorded exchange (`fixtures/<name>.json`) that tests replay."""

    title: str
    config: Mapping[str, Json]
    fixture: str | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a connector can do. `key` is the name of its file; `uses` in a document is `<connector>.<key>`.

    `effect_of` and `idempotency_of` decide per call, from the rendered config, where the static values cannot.
    `simulate(config)` answers a dry run without any effect: the output that would come back.
    """

    key: str
    title: str
    description: str
    effect: Effect
    config_schema: Mapping[str, Json]
    output_schema: Mapping[str, Json]
    run: Callable[[ActionCall], Steps]
    idempotency: Idempotency = Idempotency.NATURAL
    examples: tuple[Example, ...] = ()
    simulate: Callable[[Mapping[str, Json]], Result] | None = None
    effect_of: Callable[[Mapping[str, Json]], Effect] | None = None
    idempotency_of: Callable[[Mapping[str, Json]], Idempotency] | None = None
    default_timeout_seconds: float = 30.0

    def effect_for(self, config: Mapping[str, Json]) -> Effect:
        """Name the effect of a call with this config."""
        return self.effect_of(config) if self.effect_of else self.effect

    def idempotency_for(self, config: Mapping[str, Json]) -> Idempotency:
        """Name how safe a repeat of a call with this config is."""
        return self.idempotency_of(config) if self.idempotency_of else self.idempotency


@dataclass(frozen=True, slots=True)
class Shown:
    """One thing that a poll found. `key` names it at its source, the same at every look."""

    key: str
    data: Json


@dataclass(frozen=True, slots=True)
class Found:
    """What a look found, oldest first. `cursor` is given to the next look; `has_more`: that need not wait."""

    items: Sequence[Shown]
    cursor: Json = None
    has_more: bool = False


PollSteps = Generator[Request, Response, Found | Failure]


@dataclass(frozen=True, slots=True)
class PollCall:
    """What a poll may know. `config` is checked and has its secrets; `cursor` is the last look's, None at first."""

    config: Mapping[str, Json]
    cursor: Json = None


def _whole(config: Mapping[str, Json]) -> Json:
    return dict(config)


@dataclass(frozen=True, slots=True)
class PollingTrigger:
    """A way to look for what is new at a service. `key` is the name of its file; triggers name `<connector>.<key>`.

    `poll(call)` may show things again: one run per key, ever. Without a cursor it shows what is there, and what was
    there before is known. `urls(config)` are those that a secret in the config is sent to. `origin(config)` names the
    source: when it changes, the cursor begins anew.
    """

    key: str
    title: str
    description: str
    config_schema: Mapping[str, Json]
    poll: Callable[[PollCall], PollSteps]
    urls: Callable[[Mapping[str, Json]], Sequence[str]]
    origin: Callable[[Mapping[str, Json]], Json] = _whole
    examples: tuple[Example, ...] = ()
    default_timeout_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class Connector:
    """A service (or protocol) BrainOps can talk to. `key` is the name of its folder."""

    key: str
    title: str
    description: str
    icon: str  # a Material Symbols name
    group: str = "Connectors"
    homepage: str = ""
