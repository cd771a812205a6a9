"""How much storage the runs of each workspace take, measured now and then for quotas."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from django.db import connection, transaction

from automation.store import storage_use

EVERY_SECONDS = 300.0


def measure_if_due() -> int:
    """Measure when the last time is long ago; returns 0: nothing is deleted (for the minute's sweep)."""
    with connection.cursor() as cursor:
        is_due = storage_use.is_due(cursor, seconds=EVERY_SECONDS)
    if is_due:
        measure()
    return 0


def measure() -> dict[UUID, int]:
    """Measure and keep the bytes of each workspace. A table at a time, so that no look holds another up."""
    used: Counter[UUID] = Counter()
    for table in storage_use.STATEMENTS:
        with connection.cursor() as cursor:
            used.update(storage_use.weigh(cursor, table))
    with transaction.atomic(), connection.cursor() as cursor:
        storage_use.keep(cursor, dict(used))
    return dict(used)
