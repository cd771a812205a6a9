"""What all processes counted, together: each adds its share every few seconds, and the scrape reads the sum.

Nothing is written per run or request. Only differences are stored, so a restart, a deploy or one more process never
makes a counter go back; a process that is killed takes the counts of its last seconds with it. When a commit's answer
is lost, those few seconds may count twice.
"""

from __future__ import annotations

import json
import threading

from django.db import DatabaseError, InterfaceError, connection

from brainops.core import logs, metrics
from brainops.core.metrics import Amounts

EVERY_SECONDS = 5.0

# Rows go in sorted order: two processes that add at once wait for each other, and never in a ring.
ADD = """
insert into core_metricamount as m (name, labels, part, amount)
select * from unnest(%s::text[], %s::text[], %s::text[], %s::float8[])
on conflict (name, labels, part) do update set amount = m.amount + excluded.amount
"""
READ = "select name, labels, part, amount from core_metricamount"

log = logs.get_logger(__name__)

_turn = threading.Lock()  # one flush at a time: what is taken and not yet stored is nowhere else


def flush() -> int:
    """Add what this process counted to the sums; return how many of them grew. Raises django.db errors."""
    with _turn:
        amounts = metrics.take_all()
        if not amounts:
            return 0
        rows = [(name, json.dumps(labels), part, amount) for (name, labels, part), amount in amounts.items()]
        try:
            with connection.cursor() as cursor:
                cursor.execute(ADD, [list(column) for column in zip(*rows, strict=True)])
        except (DatabaseError, InterfaceError):
            metrics.give_back(amounts)
            raise
    return len(amounts)


def totals() -> Amounts:
    """The sums of all processes, this one's latest share included. Raises django.db errors."""
    flush()
    with connection.cursor() as cursor:
        cursor.execute(READ)
        rows = cursor.fetchall()
    return {(name, tuple(json.loads(labels)), part): amount for name, labels, part, amount in rows}


def try_flush() -> None:
    """Flush; what cannot be stored now is stored the next time."""
    try:
        flush()
    except (DatabaseError, InterfaceError) as error:
        log.warning("metrics_not_stored", error=str(error).strip())


def flush_for_ever(every_seconds: float = EVERY_SECONDS, *, until: threading.Event | None = None) -> None:
    """What the thread of a web process does: flush now and then, on a connection of its own."""
    is_over = until or threading.Event()
    while not is_over.wait(every_seconds):
        try_flush()
        connection.close_if_unusable_or_obsolete()
    connection.close()


def start_thread() -> None:
    """Begin to flush in this process; once, when it starts to serve."""
    threading.Thread(target=flush_for_ever, name="metrics", daemon=True).start()
