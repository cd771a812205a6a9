"""What the run of a schedule's slot sees as `trigger`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

Json = Any


def slot_scope(
    kind: str,
    trigger_id: UUID,
    config: Mapping[str, Json],
    slot: datetime,
    previous: datetime | None,
    *,
    is_backfill: bool = False,
) -> dict[str, Json]:
    """The slot on both clocks, and the one before it."""
    return {
        "kind": kind,
        "trigger_id": str(trigger_id),
        "slot": utc_text(slot),
        "scheduled_for": slot.astimezone(ZoneInfo(config.get("timezone", "UTC"))).isoformat(),
        "previous_slot": utc_text(previous) if previous else None,
        **({"is_backfill": True} if is_backfill else {}),
    }


def utc_text(instant: datetime) -> str:
    """An instant as the ledger's keys write it."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
