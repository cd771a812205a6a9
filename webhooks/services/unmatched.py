"""Requests to addresses that are no webhook's: stored for the staff, but only some, since anybody can make them.

A network may fill a few rows a minute, all of them together some more, and only the newest stay.
"""

from __future__ import annotations

import threading

from django.db import connection

from brainops.core.metrics import Counter
from brainops.core.ratelimit.buckets import Bucket
from brainops.core.ratelimit.limiter import limiter
from brainops.core.web.clients import network_of
from webhooks.services.keeping import keep_headers, readable
from webhooks.services.outcomes import Incoming
from webhooks.store import unmatched as store

MINUTE = 60.0  # seconds
OF_NETWORK = 6  # a minute
OF_ALL = 30
KEPT = 1000
MOST_BODY = 1024  # bytes
MOST_HEADERS = 32
LARGEST_SIZE = (1 << 31) - 1

UNKNOWN, UNKNOWN_TEST, NOT_LISTENING = "unknown_webhook", "unknown_test_address", "not_listening"
UNMATCHED = Counter("brainops_webhook_unmatched_total", "Requests to addresses that are no webhook's.", ("reason",))


class Omitted:
    """How many requests this process has not stored since the last that it did; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0

    def tell(self, *, is_stored: bool) -> int:
        """The requests that went unstored before this one."""
        with self._lock:
            count = self._count
            self._count = 0 if is_stored else count + 1
            return count


omitted = Omitted()


def note(reason: str, address: str, incoming: Incoming) -> None:
    """Store a request that nobody has an address for, or count it."""
    UNMATCHED.add(labels=(reason,))
    network = Bucket("webhook-unmatched", network_of(incoming.remote_addr or ""), OF_NETWORK / MINUTE, OF_NETWORK)
    everybody = Bucket("webhook-unmatched-stored", "all", OF_ALL / MINUTE, OF_ALL)
    is_stored = limiter.take(network, everybody).refused is None
    left_out = omitted.tell(is_stored=is_stored)
    if not is_stored:
        return
    headers = dict(list(keep_headers(incoming.headers).items())[:MOST_HEADERS])
    with connection.cursor() as cursor:
        store.insert(
            cursor,
            {
                "reason": reason,
                "method": readable(incoming.method)[:20],
                "address": readable(address)[:300],
                "content_type": readable(incoming.headers.get("content-type", ""))[:200],
                "headers": headers,
                "body": incoming.body[:MOST_BODY],
                "size_bytes": min(incoming.size_bytes, LARGEST_SIZE),
                "remote_addr": incoming.remote_addr,
                "omitted": left_out,
            },
            keep=KEPT,
        )
