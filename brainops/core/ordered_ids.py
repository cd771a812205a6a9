"""Ids in the order of their making: UUIDs of version 7 (RFC 9562, 5.7). A table fills its index from one end."""

from __future__ import annotations

import os
import time
from uuid import UUID

_VERSION, _VARIANT = 7 << 76, 2 << 62
_RANDOM_A, _RANDOM_B = 0xFFF << 64, (1 << 62) - 1


def new_ordered_id() -> UUID:
    """48 bits of milliseconds, then 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    return UUID(int=(milliseconds << 80) | _VERSION | (random & _RANDOM_A) | _VARIANT | (random & _RANDOM_B))
