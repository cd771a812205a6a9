"""Places for password hashing: a crowd of logins never takes the cores or the web threads from everybody else.

One hash keeps a core busy for 0.4 s. A process hashes on half of its cores at once, a quarter of its web threads may
wait for that, and whoever comes beyond is sent away at once, before anything is hashed.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from brainops.core.errors import Unavailable


class HashingPlaces:
    """`at_once` hashes beside each other, `waiting` threads that hash or wait for it."""

    def __init__(self, *, at_once: int, waiting: int) -> None:
        self._cores = threading.BoundedSemaphore(at_once)
        self._room = threading.BoundedSemaphore(max(at_once, waiting))

    @contextmanager
    def take(self) -> Iterator[None]:
        """Hold a place while one password is hashed. Raises Unavailable at once when too many wait already."""
        if not self._room.acquire(blocking=False):
            message = "Too many people are logging in right now. Try again in a moment."
            raise Unavailable(message, code="logins_busy", retry_after_seconds=2)
        try:
            with self._cores:
                yield
        finally:
            self._room.release()


# of this process: `with places.take(): …`
places = HashingPlaces(at_once=max(1, (os.cpu_count() or 2) // 2), waiting=settings.BRAINOPS_WEB_THREADS // 4)
