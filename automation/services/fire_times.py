"""When a trigger fires next after it was saved, by the database's clock: that is what slots come due by."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from automation.models import Trigger
from automation.store.firings import now
from automation.triggers.catch_up import ON_TIME
from automation.triggers.contract import TriggerKind
from automation.triggers.timing import first_fire, slot_of
from brainops.core.errors import InvalidInput, Problem

Json = Any


def first_fire_at(kind: TriggerKind, config: Mapping[str, Json], trigger_id: UUID) -> datetime | None:
    """When a trigger fires first that is switched on now; never at once.

    None for kinds that do not fire by the clock. Raises InvalidInput for one that would never fire.
    """
    return None if kind.clock is None else _after(kind, config, trigger_id, _now())


def moved_fire_at(
    kind: TriggerKind, trigger: Trigger, config: Mapping[str, Json], *, is_active: bool
) -> datetime | None:
    """The next fire time of a stored trigger after a change; raises as `first_fire_at`.

    A slot that has just come due is neither lost nor pushed away, whatever is changed.
    """
    if not is_active or kind.clock is None:
        return None
    at = _now()
    is_same = trigger.is_active and trigger.config == config
    if is_same and (trigger.next_fire_at or kind.clock.next_after(config, at) is None):
        return trigger.next_fire_at  # or it is over: it may stay as it is
    due = trigger.next_fire_at if trigger.is_active else None
    if due is not None and at - ON_TIME <= due <= at:
        return slot_of(kind.clock, trigger.config, due)
    return _after(kind, config, trigger.id, at)


def _after(kind: TriggerKind, config: Mapping[str, Json], trigger_id: UUID, at: datetime) -> datetime:
    fire_at = first_fire(kind.clock, config, trigger_id, at) if kind.clock else None
    if fire_at is None:
        message = "It would never fire: no time of this schedule is still to come. Choose one ahead or switch it off."
        raise InvalidInput.from_problems([Problem("never_fires", message, "/config")])
    return fire_at


def _now() -> datetime:
    with connection.cursor() as cursor:
        return now(cursor)
