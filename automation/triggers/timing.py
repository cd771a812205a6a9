"""When a slot of a trigger fires: at its time, or a little later where the trigger spreads its starts.

The delay is the same whoever computes it and however often: it depends on the trigger and the slot alone. It always
ends before the next slot, so slots never overtake one another.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID

from automation.triggers.contract import Clock, Config

LEAST = timedelta(microseconds=1)


def fires_at(clock: Clock, config: Config, trigger_id: UUID, slot: datetime) -> datetime:
    """The instant at which a slot fires."""
    most = clock.jitter(config)
    if not most:
        return slot
    following = clock.next_after(config, slot)
    if following is not None:
        most = min(most, (following - slot).total_seconds())
    return slot + timedelta(seconds=int(_share(trigger_id, slot) * most))


def first_fire(clock: Clock, config: Config, trigger_id: UUID, after: datetime) -> datetime | None:
    """When a trigger fires first that is switched on or changed at an instant; None for never."""
    slot = clock.next_after(config, after)
    return None if slot is None else fires_at(clock, config, trigger_id, slot)


def slot_of(clock: Clock, config: Config, fire_at: datetime) -> datetime:
    """The slot that fires at an instant: the newest one up to then."""
    most = clock.jitter(config)
    if not most:
        return fire_at
    found, slot = None, clock.next_after(config, fire_at - timedelta(seconds=most) - LEAST)
    while slot is not None and slot <= fire_at:
        found, slot = slot, clock.next_after(config, slot)
    return found or fire_at


def _share(trigger_id: UUID, slot: datetime) -> float:
    """A number from 0 up to 1, spread evenly over triggers and slots."""
    said = f"{trigger_id}:{slot.astimezone(UTC).isoformat()}".encode()
    return int.from_bytes(hashlib.sha256(said).digest()[:6]) / 2**48
