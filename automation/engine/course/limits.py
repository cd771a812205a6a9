"""Ceilings of one run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may come to."""

    items: int = 100_000  # of one loop
    run_bytes: int = 100 << 20  # of all outputs together


DEFAULT_LIMITS = Limits()
