"""The contract of a step kind: declared data plus one function.

Form, validation, catalogue, documentation, dry run and retry policy are all made from the declaration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from automation.engine.commands import Command

Json = Any


class Effect(StrEnum):
    """What a step does to the world outside the run. Decides checkpoints, retries and the dry run."""

    PURE = "pure"
    READ = "read"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    SEND = "send"

    @property
    def is_write(self) -> bool:
        """True when a repeat can be noticed outside."""
        return self not in (Effect.PURE, Effect.READ)


class Idempotency(StrEnum):
    """How safe a repeat of the effect is."""

    NATURAL = "natural"  # repeating it changes nothing (reads, PUT of a whole value)
    KEY = "key"  # the target is sent a stable idempotency key
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
class StepError:
    """Why an attempt failed. `retry_after_seconds` is what the target asked for (RFC 9110, 10.2.3).

    `is_outcome_unknown` is true when a write may have happened although no answer arrived; None when the kind does
    not say, which a timeout makes a yes.
    """

    type: str  # stable code: "http_status", "expression", "connect_failed"
    message: str
    error_class: ErrorClass = ErrorClass.USER
    retry_after_seconds: float | None = None
    details: Mapping[str, Json] = field(default_factory=dict)
    is_outcome_unknown: bool | None = None


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a run's log. `level` is debug, info, warning or error."""

    level: str
    message: str
    fields: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Done:
    """The attempt succeeded. `reason` keeps the evaluated operands of a decision."""

    output: Json = None
    port: str | None = None
    reason: Json = None
    logs: tuple[LogLine, ...] = ()
    response: Json = None  # the answer to the waiting caller: {status, headers, body}


@dataclass(frozen=True, slots=True)
class Sleep:
    """Go on in `seconds` with `output`. Short ones sleep in the thread, longer ones become a timer row."""

    seconds: float
    output: Json = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Go on when news comes, or at `until` (None: only news ends it). The kind is asked again then.

    `kind` says what is waited for: "approval", "signal" or "child". `details` stand in the row's reason, for people.
    """

    kind: str
    until: datetime | None = None
    details: Mapping[str, Json] = field(default_factory=dict)
    logs: tuple[LogLine, ...] = ()


@dataclass(frozen=True, slots=True)
class Fail:
    """The attempt failed."""

    error: StepError
    logs: tuple[LogLine, ...] = ()


Outcome = Done | Sleep | Wait | Fail


def _no_operands(_value: Json, _extra: Mapping[str, Json]) -> Json:
    return []


def _as_it_is(value: Json) -> Json:
    return value


def no_state(command: Command) -> Json:
    """What `perform` is where there is no database: a defect of whoever made the call."""
    raise LookupError(f"No database stands behind this call to {type(command).__name__}.")


@dataclass(frozen=True, slots=True)
class Call:
    """Everything one attempt of one step may know.

    `config` is the step's `with`, rendered and checked against the kind's schema; the keys in the kind's
    `lazy` arrive as written. `render(value, extra)` evaluates a lazy template with extra roots (`item`, `index`).
    `explain(value, extra)` lists the operands that decide one, `[{"expression": …, "value": …}]`.
    `remaining_seconds()` is what is left of the step's time; `is_cancelled()` turns true when the run must stop.
    `perform(command)` acts on our own database, exactly once however often the attempt is repeated.
    `hosts` are the host patterns that each secret in the config is bound to, for those that are; `mask` takes the run's
    secrets out of a JSON value, for texts that are cut.
    """

    config: Mapping[str, Json]
    path: str
    attempt: int
    idempotency_key: str
    now: datetime
    render: Callable[[Json, Mapping[str, Json]], Json]
    remaining_seconds: Callable[[], float]
    is_cancelled: Callable[[], bool]
    explain: Callable[[Json, Mapping[str, Json]], Json] = _no_operands
    perform: Callable[[Command], Json] = no_state
    hosts: tuple[frozenset[str], ...] = ()
    mask: Callable[[Json], Json] = _as_it_is


@dataclass(frozen=True, slots=True)
class Example:
    """A runnable example: tests execute it. `expect` is the outcome; None when it needs the outside world."""

    title: str
    config: Mapping[str, Json]
    expect: Outcome | None = None
    scope: Mapping[str, Json] = field(default_factory=dict)


def _no_ports(_config: Mapping[str, Json]) -> Iterable[str]:
    return ()


@dataclass(frozen=True, slots=True)
class Kind:
    """A step kind. `ports(config)` names the outcomes a step with this `with` may take ("" when it has only one).

    `simulate(call)` answers a dry run: what would come back, without any effect.
    """

    key: str
    title: str
    description: str
    group: str
    icon: str
    effect: Effect
    config_schema: Mapping[str, Json]
    output_schema: Mapping[str, Json]
    run: Callable[[Call], Outcome]
    idempotency: Idempotency = Idempotency.NATURAL
    simulate: Callable[[Call], Outcome] | None = None
    ports: Callable[[Mapping[str, Json]], Iterable[str]] = _no_ports
    examples: tuple[Example, ...] = ()
    lazy: frozenset[str] = frozenset()
    effect_of: Callable[[Mapping[str, Json]], Effect] | None = None  # when the rendered `with` decides it
    idempotency_of: Callable[[Mapping[str, Json]], Idempotency] | None = None
    is_deterministic: bool = True
    is_blocking: bool = False  # takes its time although it has no effect: others need not wait for it
    default_timeout_seconds: float = 30.0


Kinds = Mapping[str, Kind]
