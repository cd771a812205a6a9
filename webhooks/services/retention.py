"""Events that were kept long enough go; the runs they started have a retention of their own."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.conf import settings

from automation.store.connection import Connection
from webhooks.store.forget import PORTION, forget_events


def forget_old(connection: Connection, is_over: Callable[[], bool]) -> int:
    """Delete old events until none is left or time is up; return how many went. 0 days: events stay for ever."""
    days: int = settings.BRAINOPS_RETENTION_WEBHOOK_DAYS
    total = 0
    while days and not is_over():
        started = time.monotonic()
        count = forget_events(connection, days=days)
        total += count
        if count < PORTION:
            break
        time.sleep(time.monotonic() - started)  # as long again for others
    return total
