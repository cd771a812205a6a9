"""Whether a failed attempt is repeated, and when."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from automation.engine.durations import parse_duration
from automation.engine.effects import is_repeatable
from automation.engine.kinds import ErrorClass, Kind, StepError

DEFAULT_CLASSES = frozenset({ErrorClass.TRANSIENT, ErrorClass.RATE_LIMIT, ErrorClass.TIMEOUT})
MAX_RETRY_AFTER_SECONDS = 86_400.0  # a target that wants more than a day is not waited for
EMPTY: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how fast failed attempts are repeated; the defaults hold where a document says nothing."""

    max_attempts: int = 3
    backoff: str = "exponential"  # or "fixed"
    initial_seconds: float = 1.0
    max_seconds: float = 60.0
    jitter: str = "full"  # or "none"
    classes: frozenset[ErrorClass] = DEFAULT_CLASSES
    is_unsafe: bool = False  # repeat even an effect that may have happened and has no key

    @classmethod
    def read(cls, fields: Mapping[str, Any] | None) -> RetryPolicy:
        """The policy of a checked `retry` object; a delay without a cap is its own cap."""
        if not fields:
            return DEFAULT_POLICY
        initial = parse_duration(fields["initial"]) if "initial" in fields else DEFAULT_POLICY.initial_seconds
        return cls(
            max_attempts=fields.get("max_attempts", DEFAULT_POLICY.max_attempts),
            backoff=fields.get("backoff", DEFAULT_POLICY.backoff),
            initial_seconds=initial,
            max_seconds=parse_duration(fields["max"]) if "max" in fields else max(initial, DEFAULT_POLICY.max_seconds),
            jitter=fields.get("jitter", DEFAULT_POLICY.jitter),
            classes=frozenset(map(ErrorClass, fields["errors"])) if "errors" in fields else DEFAULT_CLASSES,
            is_unsafe=fields.get("unsafe", False),
        )


DEFAULT_POLICY = RetryPolicy()


def delay_seconds(attempt: int, policy: RetryPolicy, *, seed: int) -> float:
    """Seconds to wait after failed attempt `attempt` (1 = the first).

    Exponential with full jitter: uniform(0, min(cap, initial * 2**(attempt-1))); fixed backoff does not grow, and
    without jitter the ceiling itself is taken. Same seed and attempt, same delay. Raises ValueError if attempt < 1.
    Source: AWS Architecture Blog, "Exponential Backoff And Jitter" (2015).
    """
    if attempt < 1:
        raise ValueError(f"attempt must be at least 1, got {attempt}.")
    growth = 2.0 ** min(attempt - 1, 64) if policy.backoff == "exponential" else 1.0
    ceiling = min(policy.max_seconds, policy.initial_seconds * growth)
    if policy.jitter == "none":
        return ceiling
    return random.Random(f"{seed}:{attempt}").uniform(0, ceiling)  # noqa: S311 - spreads load, guards nothing


def next_delay(
    policy: RetryPolicy, error: StepError, attempt: int, kind: Kind, seed: int, *, config: Mapping[str, Any] = EMPTY
) -> float | None:
    """Seconds until the next attempt after attempt `attempt` failed with `error`; None to give up.

    `config` is the rendered `with`, for kinds whose effect depends on it. What the target asked for
    (`Retry-After`) is never undercut.
    """
    if attempt >= policy.max_attempts or error.error_class not in policy.classes:
        return None
    if error.error_class is ErrorClass.CANCELLED:
        return None
    if _may_repeat_an_effect(policy, error, kind, config):
        return None
    asked = error.retry_after_seconds or 0.0
    if asked > MAX_RETRY_AFTER_SECONDS:
        return None
    return max(delay_seconds(attempt, policy, seed=seed), asked)


def _may_repeat_an_effect(policy: RetryPolicy, error: StepError, kind: Kind, config: Mapping[str, Any]) -> bool:
    """True when the attempt may have acted without our knowing, and acting twice would be a second effect."""
    is_unknown = error.is_outcome_unknown
    if is_unknown is None:
        is_unknown = error.error_class is ErrorClass.TIMEOUT
    return is_unknown and not policy.is_unsafe and not is_repeatable(kind, config)
