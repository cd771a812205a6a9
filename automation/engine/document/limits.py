"""How large a document may be. Callers pass their settings; these are the defaults."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Ceilings of one document."""

    steps: int = 500  # nested ones included
    expressions: int = 5_000  # texts with expressions; reading one takes some 100 µs
    depth: int = 8  # containers inside containers
    problems: int = 200  # refusals told at once; beyond that only that there are more
    timeout_seconds: float = 30 * 86_400.0  # of a run or one attempt
    retry_delay_seconds: float = 86_400.0
    debounce_seconds: float = 86_400.0
    inputs_schema_bytes: int = 65_536


DEFAULT_LIMITS = Limits()
