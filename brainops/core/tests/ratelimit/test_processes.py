"""Several real processes at one bucket: together they never get more than one would."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid

import redis
from django.conf import settings

PROCESSES, TRIES = 4, 400

HAMMER = """
import sys
from django.conf import settings
from brainops.core.ratelimit.buckets import Bucket
from brainops.core.ratelimit.limiter import Limiter

settings.BRAINOPS_RATE_REDIS_TIMEOUT_SECONDS = 30
owner, per_second, burst, tries = sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
mine, wide = Bucket("test", owner, per_second, burst), Bucket("wide", owner, 1e6, 1_000_000)
limiter = Limiter()
print(sum(limiter.take(mine, wide).refused is None for _ in range(tries)), limiter.redis.processes)
"""


def hammer(*, per_second: float, burst: int) -> tuple[list[int], list[int]]:
    """What each process got, and how many processes each one saw."""
    command = [sys.executable, "-W", "error", "-c", HAMMER, uuid.uuid4().hex, str(per_second), str(burst), str(TRIES)]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "brainops.settings"}
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) for _ in range(PROCESSES)]
    outputs = [child.communicate(timeout=100)[0].split() for child in children]
    assert [child.returncode for child in children] == [0] * PROCESSES
    return [int(output[0]) for output in outputs], [int(output[1]) for output in outputs]


def redis_seconds() -> float:
    client = redis.Redis.from_url(settings.REDIS_URL)
    seconds, microseconds = client.time()
    client.close()
    return seconds + microseconds / 1e6


def test_no_more_than_the_burst_and_what_came_back_meanwhile_ever_passes():
    started = redis_seconds()
    got, _ = hammer(per_second=20, burst=300)
    elapsed = redis_seconds() - started

    assert sum(got) <= 300 + 20 * elapsed
    # tokens that a process still held at its end are lost: an eighth of what was left, for each process
    assert sum(got) >= 300 - PROCESSES * 32


def test_without_anything_coming_back_the_burst_is_exact():
    got, seen = hammer(per_second=1 / 3600, burst=100)

    assert 100 - PROCESSES * 12 <= sum(got) <= 100  # 12: an eighth of 100, held by who had finished
    assert max(seen) > 1
