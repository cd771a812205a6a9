"""Buckets in a real Redis: the pace, several at once, what is held, and what is left behind."""

from __future__ import annotations

import time

import pytest
import redis
from django.conf import settings

from brainops.core.ratelimit.limiter import HELD_SECONDS, Limiter
from brainops.core.ratelimit.local_buckets import LocalBuckets
from brainops.core.ratelimit.redis_buckets import RedisBuckets
from brainops.core.tests.ratelimit.conftest import bucket

SLOW = 1 / 3600  # a token an hour: nothing comes back while a test runs


def test_a_burst_passes_and_the_next_one_is_told_when_to_come_back(limiter: Limiter):
    mine = bucket(per_second=SLOW, burst=5)

    verdicts = [limiter.take(mine) for _ in range(7)]

    assert [verdict.refused for verdict in verdicts] == [None] * 5 + [mine] * 2
    assert [verdict.standings[0].remaining for verdict in verdicts] == [4, 3, 2, 1, 0, 0, 0]
    assert 3590 < verdicts[5].wait_seconds <= 3600


def test_whoever_comes_back_when_told_is_let_in(limiter: Limiter):
    mine = bucket(per_second=50, burst=1)
    limiter.take(mine)
    wait_seconds = limiter.take(mine).wait_seconds

    time.sleep(wait_seconds)

    assert wait_seconds <= 1 / 50
    assert limiter.take(mine).refused is None


def test_several_buckets_are_taken_from_together_or_not_at_all(limiter: Limiter):
    narrow, wide = bucket(per_second=SLOW, burst=2, name="narrow"), bucket(per_second=SLOW, burst=10, name="wide")

    verdicts = [limiter.take(narrow, wide) for _ in range(9)]
    left = Limiter().take(wide)

    assert [verdict.refused for verdict in verdicts] == [None] * 2 + [narrow] * 7
    assert left.standings[0].remaining == 10 - 2 - 1


def test_the_bucket_that_is_empty_longest_is_named(limiter: Limiter):
    short, long = bucket(per_second=1, burst=1, name="short"), bucket(per_second=SLOW, burst=1, name="long")
    limiter.take(short, long)

    assert Limiter().take(short, long).refused == long


def test_who_calls_often_holds_tokens_and_they_are_all_counted(limiter: Limiter):
    mine = bucket(per_second=SLOW, burst=1000)
    calls = []
    asked = limiter.redis.take
    limiter.redis.take = lambda wanted: calls.append(wanted) or asked(wanted)  # type: ignore[method-assign]  # counts

    passed = sum(limiter.take(mine).refused is None for _ in range(1100))

    assert passed == 1000
    assert len(calls) < 300


def test_held_tokens_do_not_last(limiter: Limiter, monotonic: dict[str, float]):
    mine = bucket(per_second=SLOW, burst=1000)
    for _ in range(2):  # one, then two, of which one is held
        limiter.take(mine)

    monotonic["now"] += HELD_SECONDS
    limiter.take(mine)

    assert limiter.take(mine).standings[0].remaining == 1000 - 1 - 2 - 1 - 1


def test_tenants_with_the_same_ids_have_buckets_of_their_own(limiter: Limiter):
    ours, theirs = bucket(per_second=SLOW, burst=1, owner="a:key"), bucket(per_second=SLOW, burst=1, owner="b:key")
    limiter.take(ours)

    assert (limiter.take(ours).refused, limiter.take(theirs).refused) == (ours, None)


def test_an_idle_bucket_costs_no_memory():
    mine = bucket(per_second=100, burst=500)
    buckets = RedisBuckets()

    buckets.take([(mine, 1)])

    client = redis.Redis.from_url(settings.REDIS_URL)
    left = client.pttl(f"{settings.BRAINOPS_REDIS_PREFIX}:{buckets.space}:{mine.key}")
    client.close()
    assert left <= 11  # ms: 10 until the token is back, and one of rounding


def test_a_clock_that_was_set_back_keeps_nobody_out_for_longer_than_the_window():
    mine = bucket(per_second=1, burst=5)
    buckets = RedisBuckets()
    client = redis.Redis.from_url(settings.REDIS_URL)
    client.set(f"{settings.BRAINOPS_REDIS_PREFIX}:{buckets.space}:{mine.key}", "9e15")

    grant = buckets.take([(mine, 1)])

    client.close()
    assert grant is not None
    assert (grant.refused, grant.wait_seconds) == (0, pytest.approx(1))


def test_a_refusal_is_remembered_and_costs_no_round_trip(limiter: Limiter, monotonic: dict[str, float]):
    mine = bucket(per_second=SLOW, burst=1)
    for _ in range(2):
        limiter.take(mine)
    limiter.redis.take = None  # type: ignore[assignment]  # calling it would fail

    assert [limiter.take(mine).refused for _ in range(3)] == [mine] * 3
    assert limiter.is_refused(mine)
    assert not limiter.is_refused(bucket())


@pytest.mark.parametrize(
    ("processes", "passed"),
    [
        (1, 10),
        (2, 5),  # 10 / 2
        (4, 2),  # 10 // 4
        (50, 1),  # nobody's share is below one
    ],
)
def test_without_redis_a_process_has_its_share(monotonic: dict[str, float], processes: int, passed: int):
    local, mine = LocalBuckets(), bucket(per_second=10, burst=10)

    taken = [local.take([mine], processes=processes) for _ in range(12)]

    assert [verdict.refused for verdict in taken] == [None] * passed + [mine] * (12 - passed)
    assert taken[-1].wait_seconds == pytest.approx(processes / 10)
    monotonic["now"] += processes / 10
    assert local.take([mine], processes=processes).refused is None
