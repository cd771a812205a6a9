"""Report: what would happen, step by step, with what is simulated in it and what could not be known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from automation.engine.weight import weight

Json = Any

# How an answer came about.
COMPUTED = "computed"  # the kind was run: it has no effect
PERFORMED = "performed"  # a read that was really made
SIMULATED = "simulated"  # by the kind itself, without any effect
SCHEMA = "schema"  # made up from the output schema
SAMPLE = "sample"  # given with the dry run
CALLED = "called"  # by a dry run of the called workflow
ASSUMED = "assumed"  # unknown: it depends on answers that were made up
FAILED = "failed"  # there was none


@dataclass(frozen=True, slots=True)
class DryLimits:
    """Ceilings of one dry run, called workflows included. `value_bytes` is of one shown value, `all_bytes` of all."""

    seconds: float = 20.0
    attempts: int = 2000
    depth: int = 8
    value_bytes: int = 16 << 10
    all_bytes: int = 2 << 20


@dataclass(slots=True)
class Effect:
    """One thing that would be done outside. `target` names the other side, `request` is what it would be sent.

    `inside` lists the effects of a called workflow; `unresolved` the expressions in `request` that stand as written.
    """

    path: str
    step: str
    name: str
    kind: str
    title: str
    effect: str
    idempotency: str
    target: str | None
    request: Json
    answer: Json = None
    answer_source: str = SIMULATED
    error: Json = None
    unresolved: tuple[str, ...] = ()
    inside: list[Effect] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Decision:
    """Which way was taken and why. `type` is if or the kind; `taken` the port, "run" or "skipped"."""

    path: str
    type: str
    taken: str
    operands: Json = None
    is_assumed: bool = False


@dataclass(frozen=True, slots=True)
class Unresolved:
    """Something that is missing.

    `is_assumed`: it may well be there in a real run, for it was to come from an answer that was made up; the dry run
    went on without it.
    """

    code: str  # unresolved_expression, config, missing_connection, missing_workflow
    path: str
    message: str
    expression: str | None = None
    pointer: str | None = None
    is_assumed: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """How one step, container or batch of items ended. `status` is not_reached for those that nothing led to."""

    path: str
    kind: str
    status: str
    port: str | None = None
    output: Json = None
    reason: Json = None
    error: Json = None


@dataclass(slots=True)
class Report:
    """The whole. `stopped_by` names the limit that ended it early; what stands here happened before."""

    status: str = "running"
    output: Json = None
    error: Json = None
    response: Json = None
    effects: list[Effect] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    unresolved: list[Unresolved] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    logs: list[Mapping[str, Json]] = field(default_factory=list)
    lasts_seconds: float = 0.0
    stopped_by: str | None = None


class Stopped(Exception):
    """A limit of the dry run is reached; the message names it."""


class Allowance:
    """What is left of the limits; one for a dry run and all the workflows it calls."""

    def __init__(self, limits: DryLimits, *, seconds_now: float) -> None:
        self.limits = limits
        self.ends_at = seconds_now + limits.seconds
        self._attempts = 0
        self._bytes = 0

    def spend(self, seconds_now: float) -> None:
        """Count one attempt. Raises Stopped."""
        self._attempts += 1
        if self._attempts > self.limits.attempts:
            raise Stopped(f"steps: a dry run attempts at most {self.limits.attempts} (BRAINOPS_LIMIT_DRY_RUN_STEPS).")
        if seconds_now >= self.ends_at:
            raise Stopped(f"time: a dry run takes at most {self.limits.seconds:g} s (BRAINOPS_LIMIT_DRY_RUN_SECONDS).")

    def shown(self, value: Json) -> Json:
        """The value, or how large it is when it is too large to show."""
        size = weight(value, self.limits.value_bytes)
        if size > self.limits.value_bytes:
            return {"not_shown": f"more than {self.limits.value_bytes:,} bytes as JSON"}
        self._bytes += size
        if self._bytes > self.limits.all_bytes:
            return {"not_shown": f"all values together are more than {self.limits.all_bytes:,} bytes as JSON"}
        return value
