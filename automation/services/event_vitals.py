"""How the bus is doing: gauges of the scrape."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection

from automation.store import event_deliveries, event_queue
from brainops.core.metrics import Sample


def samples() -> Iterator[Sample]:
    """What listeners are still to be told of, and how deliveries to triggers stand."""
    with connection.cursor() as cursor:
        seconds = event_queue.oldest_seconds(cursor)
        counts = event_deliveries.standing(cursor)
    yield Sample("brainops_events_untold_seconds", "Age of the oldest event that listeners wait for.", seconds, {})
    for state, count in counts.items():
        said = "Events to be brought to a trigger, or given up within a day."
        yield Sample("brainops_event_deliveries", said, count, {"state": state})
