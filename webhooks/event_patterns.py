"""Types and patterns of events that a subscription names: `order.paid`, `run.*`, `*`.

What BrainOps itself says begins with `brainops.`; a pattern may leave that out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

OWN = "brainops."
LONGEST = 200  # characters
PATTERN = r"^(\*|[A-Za-z0-9_:/-]+(\.[A-Za-z0-9_:/-]+)*(\.\*)?)$"
_PATTERN = re.compile(PATTERN)


def refusal_of(pattern: str) -> str | None:
    """Why a pattern cannot be used; None when it can."""
    if len(pattern) <= LONGEST and _PATTERN.fullmatch(pattern):
        return None
    return (
        f"{pattern[:80]!r} is no type of events. Write one like run.failed, all of a kind like run.*, or * for "
        f"everything; words of letters, digits, _ : / and -, at most {LONGEST} characters."
    )


def matches(pattern: str, type_: str) -> bool:
    """True when an event of this type is meant."""
    return any(_fits(one, type_) for one in spelt_out(pattern))


def spelt_out(pattern: str) -> tuple[str, ...]:
    """The pattern as it is, and as it is meant for what BrainOps itself says."""
    if pattern == "*" or pattern.startswith(OWN):
        return (pattern,)
    return (pattern, f"{OWN}{pattern}")


def wishes(patterns: Iterable[str]) -> list[str]:
    """Types and prefixes that say together what `patterns` mean, each once."""
    return list(dict.fromkeys(one for pattern in patterns for one in spelt_out(pattern)))


def _fits(pattern: str, type_: str) -> bool:
    return type_.startswith(pattern[:-1]) if pattern.endswith("*") else type_ == pattern
