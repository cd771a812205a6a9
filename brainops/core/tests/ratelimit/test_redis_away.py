"""Redis away, flushed, killed and frozen: never open, never an error, and nobody waits."""

from __future__ import annotations

import signal
import time
from typing import Any

import pytest
import redis

from brainops.core.ratelimit.circuit import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, MOST_SLOW, Circuit
from brainops.core.ratelimit.limiter import Limiter
from brainops.core.ratelimit.redis_server import RedisServer
from brainops.core.tests.ratelimit.conftest import Server, bucket
from brainops.stack.ports import free_port

SLOW = 1 / 3600


def passed(limiter: Limiter, mine: Any, *, tries: int) -> int:
    return sum(limiter.take(mine).refused is None for _ in range(tries))


def test_without_redis_the_limit_holds_in_this_process(limiter: Limiter, settings: Any):
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"

    assert passed(limiter, bucket(per_second=SLOW, burst=10), tries=30) == 10


def test_a_flushed_redis_starts_anew_and_keeps_limiting(limiter: Limiter, server: Server):
    mine = bucket(per_second=SLOW, burst=10)
    assert passed(limiter, mine, tries=30) == 10

    with redis.Redis.from_url(server.url) as client:
        client.flushall()
        client.script_flush()

    assert passed(Limiter(RedisServer()), mine, tries=30) == 10


def test_a_killed_redis_is_missed_and_found_again(limiter: Limiter, server: Server, monotonic: dict[str, float]):
    mine, other = bucket(per_second=SLOW, burst=10), bucket(per_second=SLOW, burst=10)
    limiter.take(mine)
    server.kill()
    assert passed(limiter, other, tries=30) == 10

    server.start()
    monotonic["now"] += LONGEST_PAUSE_SECONDS

    assert passed(limiter, mine, tries=30) == 10
    assert passed(Limiter(RedisServer()), mine, tries=5) == 0  # it was counted in Redis again


def test_a_frozen_redis_costs_one_request_a_pause(limiter: Limiter, server: Server, settings: Any):
    settings.BRAINOPS_RATE_REDIS_TIMEOUT_SECONDS = 0.2
    mine = bucket(per_second=SLOW, burst=50)
    limiter.take(bucket())
    calls = []
    server_of_limiter = limiter.redis.redis
    ask = server_of_limiter._call
    server_of_limiter._call = lambda *told: calls.append(1) or ask(*told)  # type: ignore[method-assign]  # counts

    server.send(signal.SIGSTOP)
    started = time.monotonic()
    try:
        got = passed(limiter, mine, tries=200)
        seconds = time.monotonic() - started
    finally:
        server.send(signal.SIGCONT)

    assert got == 50
    assert len(calls) <= 1 + seconds / FIRST_PAUSE_SECONDS


class TestCircuit:
    def test_after_a_failure_one_call_a_pause_goes_through(self, monotonic: dict[str, float]):
        circuit = Circuit()
        circuit.failed()

        assert not circuit.may_call()
        monotonic["now"] += FIRST_PAUSE_SECONDS
        assert [circuit.may_call() for _ in range(3)] == [True, False, False]

    def test_the_pause_doubles_and_is_capped(self, monotonic: dict[str, float]):
        circuit = Circuit()
        pauses = []
        for _ in range(5):
            circuit.failed()
            pauses.append(circuit._closed_until - monotonic["now"])

        assert pauses == [0.5, 1.0, 2.0, 4.0, 5.0]

    def test_a_quick_call_closes_it_and_a_slow_one_does_not(self, monotonic: dict[str, float]):
        circuit = Circuit()
        circuit.failed()

        circuit.succeeded(is_slow=True)
        assert not circuit.may_call()
        circuit.succeeded(is_slow=False)
        assert circuit.may_call()

    @pytest.mark.parametrize(("slow", "may"), [(MOST_SLOW - 1, True), (MOST_SLOW, False)])
    def test_slow_calls_in_a_row_count_as_a_failure(self, monotonic: dict[str, float], slow: int, may: bool):
        circuit = Circuit()
        for _ in range(slow):
            circuit.succeeded(is_slow=True)

        assert circuit.may_call() is may
