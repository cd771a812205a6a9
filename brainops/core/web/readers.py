"""Places for requests whose bodies are being read.

A WSGI thread that reads a body waits for its sender, however slow. Only three quarters of the threads may do so at
once: a crowd of slow senders then costs those who send bodies, while every other request still finds a thread. A
server on the open internet also wants a proxy in front that takes bodies in whole (docs/operations.md).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from brainops.core.errors import Unavailable

PATIENCE_SECONDS = 0.1  # bodies that have arrived are read in microseconds: places come back at once

_places = threading.BoundedSemaphore(max(1, settings.BRAINOPS_WEB_THREADS * 3 // 4))


@contextmanager
def reading() -> Iterator[None]:
    """Hold a place while a body is read. Raises Unavailable when slow senders have taken them all."""
    if not _places.acquire(timeout=PATIENCE_SECONDS):
        message = "Too many senders are slow with their bodies right now. Send it again in a moment."
        raise Unavailable(message, code="readers_busy", headers={"Retry-After": "2"})
    try:
        yield
    finally:
        _places.release()
