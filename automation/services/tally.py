"""Make the tally of ended runs: each minute, a day's worth at a time until it has caught up."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from django.db import connection, transaction

from automation.store import tally

STRIDE = timedelta(days=1)
LONGEST_SECONDS = 1.0  # of one sweep: schedules and timers wait meanwhile


def count_ended() -> int:
    """Bring the tally up to now; answers 0, since nothing is deleted. Any number of processes may call it."""
    ends_at = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < ends_at and _step():
        pass
    return 0


def _step() -> bool:
    """Count one stride; True when there is more to count."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(tally.LOCK_MARK)
        mark = cursor.fetchone()
        if mark is None:
            cursor.execute(tally.MAKE_MARK)
            return True
        cursor.execute(tally.HORIZON)
        horizon: datetime = cursor.fetchone()[0]
        until = min(horizon, mark[0] + STRIDE)
        if until <= mark[0]:
            return False
        tally.count_ended(cursor, since=mark[0], until=until)
    return until < horizon
