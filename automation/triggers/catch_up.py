"""Which slots of a schedule are due, and which of them still run after a pause."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from automation.triggers.contract import Missed

MOST_SLOTS = 100  # of one trigger at once; older ones are forgotten
ON_TIME = timedelta(seconds=60)  # a slot found within it is not a missed one: a restart takes some seconds

NextAfter = Callable[[datetime], datetime | None]


def due_slots(next_after: NextAfter, first: datetime, now: datetime) -> list[datetime]:
    """The newest slots from `first` (itself a slot) up to `now`, in order, at most MOST_SLOTS.

    Looks back from `now` in windows that double, so that a year of minutes costs no more than an hour of them.
    """
    window = timedelta(hours=1)
    while now - window > first:
        slots = list(_slots_until(next_after, now - window, now))
        if len(slots) >= MOST_SLOTS:
            return slots[-MOST_SLOTS:]
        window *= 2
    return [first, *_slots_until(next_after, first, now)][-MOST_SLOTS:]


def _slots_until(next_after: NextAfter, start: datetime, end: datetime) -> Iterator[datetime]:
    slot = next_after(start)
    while slot is not None and slot <= end:
        yield slot
        slot = next_after(slot)


def still_run(
    slots: Sequence[datetime], policy: Missed, now: datetime, *, within_seconds: float | None = None
) -> set[datetime]:
    """Which due slots still run; the others were missed. None that is older than `within_seconds` does."""
    young = [slot for slot in slots if not is_too_old(slot, now, within_seconds)]
    if policy is Missed.ALL:
        return set(young)
    if policy is Missed.LAST:
        return set(young[-1:])
    return {slot for slot in young if now - slot <= ON_TIME}


def is_too_old(slot: datetime, now: datetime, within_seconds: float | None) -> bool:
    """Whether a slot is past the window in which it would be caught up."""
    return within_seconds is not None and (now - slot).total_seconds() > within_seconds
