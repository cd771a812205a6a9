"""The one clock of Python code. Tests freeze it; comparisons of the engine use the database's own now()."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now() -> datetime:
    """The present instant, in UTC."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds of a clock that never goes back, for durations and deadlines within this process."""
    return time.monotonic()
