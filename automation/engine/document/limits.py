"""How large a document may be. Callers pass their settings; these are the defaults."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Ceilings of one document."""

    steps: int = 500  # nested ones included
    depth: int = 8  # containers inside containers
    problems: int = 200  # refusals told at once; beyond that only their number
    timeout_seconds: float = 30 * 86_400.0  # of a run or one attempt
    retry_delay_seconds: float = 86_400.0
    inputs_schema_bytes: int = 65_536


DEFAULT_LIMITS = Limits()
