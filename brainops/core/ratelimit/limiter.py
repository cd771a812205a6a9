"""The limiter of this process: spends tokens that it holds, fetches more from Redis, remembers who was refused.

Whoever calls often takes several tokens at once and spends them within a second, without a round trip. They are
counted when they are taken, so no more requests pass than the buckets gave: over all processes at most
`burst + per_second × seconds`, of which those of the last second may be spent a second late. Tokens that are not
spent within the second are lost. A refusal is remembered until its time is over: it costs no round trip either.
"""

from __future__ import annotations

import threading
import uuid
from collections import OrderedDict
from collections.abc import Sequence

from brainops.core import clock
from brainops.core.metrics import Counter
from brainops.core.ratelimit.buckets import Bucket, Grant, Standing, Verdict
from brainops.core.ratelimit.circuit import Circuit
from brainops.core.ratelimit.local_buckets import LocalBuckets
from brainops.core.ratelimit.redis_buckets import RedisBuckets
from brainops.core.ratelimit.redis_server import RedisServer, server

HELD_SECONDS = 1.0  # how long tokens may be held
MOST_HELD = 32  # tokens of one bucket
MOST_OWNERS = 20_000  # remembered; the longest unseen are forgotten

REFUSED = Counter("brainops_rate_limited_total", "Requests refused by a rate limit, by its name.", ("limit",))
LOCAL = Counter("brainops_rate_limit_local_total", "Decisions made without Redis, which was away or slow.")


class Holding:
    """Tokens of one bucket that this process has taken and not spent, and how the bucket stood then."""

    __slots__ = ("ends_at", "full_at", "refused_until", "remaining", "size", "tokens")

    def __init__(self) -> None:
        self.tokens = 0
        self.size = 1  # tokens to ask for next
        self.ends_at = 0.0
        self.refused_until = 0.0
        self.remaining = 0
        self.full_at = 0.0

    def has_token(self, now: float) -> bool:
        """True when one can be spent now; else notes how many to ask for: more where the last ones were used up."""
        if self.tokens and now < self.ends_at:
            return True
        self.size = min(self.size * 2, MOST_HELD) if now < self.ends_at else 1
        self.tokens = 0
        return False


class Limiter:
    """Decides about requests; thread-safe, never raises, and never open."""

    def __init__(self, redis: RedisServer = server) -> None:
        self.redis = RedisBuckets(redis)
        self._lock = threading.Lock()
        self._local = LocalBuckets()
        self._holdings: OrderedDict[str, Holding] = OrderedDict()

    def take(self, *buckets: Bucket) -> Verdict:
        """Count one request against every bucket, or against none when one of them is empty."""
        now = clock.monotonic()
        with self._lock:
            holdings = [self._holding(bucket.key) for bucket in buckets]
            for bucket, holding in zip(buckets, holdings, strict=True):
                if now < holding.refused_until:
                    return self._refuse(bucket, holding.refused_until - now)
            missing = [place for place, holding in enumerate(holdings) if not holding.has_token(now)]
            for place, holding in enumerate(holdings):
                if place not in missing:
                    holding.tokens -= 1
            wanted = [(buckets[place], holdings[place].size) for place in missing]
        if not wanted:
            return _verdict(buckets, holdings, now)
        grant = self.redis.take(wanted)
        with self._lock:
            if grant is None:
                return self._take_locally(buckets)
            asked = [holdings[place] for place in missing]
            if grant.refused is None:
                _keep(asked, grant, now)
                return _verdict(buckets, holdings, now)
            for holding in holdings:
                if holding not in asked:
                    holding.tokens += 1
            asked[grant.refused].refused_until = now + grant.wait_seconds
            return self._refuse(wanted[grant.refused][0], grant.wait_seconds)

    def is_refused(self, bucket: Bucket) -> bool:
        """True while this process knows that the bucket is empty. Counts nothing, asks nobody."""
        holding = self._holdings.get(bucket.key)
        return holding is not None and clock.monotonic() < holding.refused_until

    def start_anew(self) -> None:
        """Forget everything, also what stands in Redis: under another name there (for tests)."""
        with self._lock:
            self._holdings.clear()
            self._local.clear()
            self.redis.space = f"rate-{uuid.uuid4().hex}"
            self.redis.redis.circuit = Circuit()

    def _holding(self, key: str) -> Holding:
        holding = self._holdings.get(key)
        if holding is None:
            holding = self._holdings[key] = Holding()
            if len(self._holdings) > MOST_OWNERS:
                self._holdings.popitem(last=False)
        else:
            self._holdings.move_to_end(key)
        return holding

    def _take_locally(self, buckets: Sequence[Bucket]) -> Verdict:
        LOCAL.add()
        verdict = self._local.take(buckets, processes=self.redis.processes)
        return self._refuse(verdict.refused, verdict.wait_seconds) if verdict.refused else verdict

    def _refuse(self, bucket: Bucket, wait_seconds: float) -> Verdict:
        REFUSED.add(labels=(bucket.name,))
        standing = Standing(bucket, 0, wait_seconds + (bucket.burst - 1) / bucket.per_second)
        return Verdict((standing,), bucket, wait_seconds)


def _keep(asked: Sequence[Holding], grant: Grant, now: float) -> None:
    """Spend one of the tokens that were given, hold the others."""
    for holding, tokens, remaining, full_in in zip(
        asked, grant.tokens, grant.remaining, grant.full_in_seconds, strict=True
    ):
        holding.tokens += tokens - 1
        holding.ends_at = now + HELD_SECONDS
        holding.remaining = remaining
        holding.full_at = now + full_in


def _verdict(buckets: Sequence[Bucket], holdings: Sequence[Holding], now: float) -> Verdict:
    return Verdict(
        tuple(
            Standing(bucket, holding.remaining + holding.tokens, max(0.0, holding.full_at - now))
            for bucket, holding in zip(buckets, holdings, strict=True)
        )
    )


limiter = Limiter()
