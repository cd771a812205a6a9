"""Closeness: how near the slots of a schedule are to one another, for the shortest interval of an installation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

MOST_SLOTS = 1_500  # more than a day of minutes
MOST_TIME = timedelta(days=2 * 366)

NextAfter = Callable[[datetime], datetime | None]


def too_close(next_after: NextAfter, start: datetime, *, least_seconds: float) -> tuple[datetime, datetime] | None:
    """The first two slots that are nearer than that, of the next 1,500 within two years; None when there are none."""
    slot = next_after(start)
    for _ in range(MOST_SLOTS):
        following = None if slot is None else next_after(slot)
        if slot is None or following is None or following - start > MOST_TIME:
            return None
        if (following - slot).total_seconds() < least_seconds:
            return slot, following
        slot = following
    return None
