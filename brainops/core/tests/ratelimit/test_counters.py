"""Counters with a ceiling: started from what is known, never above it."""

from __future__ import annotations

import threading
import uuid
from typing import Any

from brainops.core.ratelimit.counters import Count, count
from brainops.core.ratelimit.redis_server import RedisServer
from brainops.stack.ports import free_port


def test_a_counter_starts_from_what_is_known_and_stops_at_its_ceiling():
    name = uuid.uuid4().hex

    answers = [count(name, 1, most=5, seconds=60)]
    answers += [count(name, 1, most=5, seconds=60, start=3) for _ in range(3)]
    answers += [count(name, -1, most=5, seconds=60), count(name, 1, most=5, seconds=60)]

    assert answers == [
        Count(is_within=False, used=0, is_known=False),
        Count(is_within=True, used=4),
        Count(is_within=True, used=5),
        Count(is_within=False, used=5),
        Count(is_within=True, used=4),
        Count(is_within=True, used=5),
    ]


def test_a_counter_above_a_lowered_ceiling_gives_back_and_takes_nothing():
    name = uuid.uuid4().hex
    count(name, 1, most=100, seconds=60, start=50)

    assert count(name, 1, most=10, seconds=60) == Count(is_within=False, used=51)
    assert count(name, -1, most=10, seconds=60) == Count(is_within=True, used=50)


def test_twenty_at_once_get_what_is_there():
    name, got = uuid.uuid4().hex, []

    def work() -> None:
        got.extend(count(name, 1, most=30, seconds=60, start=10) for _ in range(5))

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(one.is_within for one in got) == 20


def test_without_redis_nothing_is_known(settings: Any):
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"

    assert count("x", 1, most=5, seconds=60, redis=RedisServer()) is None
