"""RateLimit-Policy and RateLimit: what a caller is told of its limits.

Form: draft-ietf-httpapi-ratelimit-headers-11 (May 2026), structured lists of RFC 9651. `q` requests in `w` seconds are
the policy; `r` are left, and after `t` seconds all of them are there again (of a refusal: the next one).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

from brainops.core.ratelimit.buckets import Bucket, Verdict

POLICY, STATE = "RateLimit-Policy", "RateLimit"


def rate_headers(verdict: Verdict) -> dict[str, str]:
    """Both headers; none when nothing was limited."""
    standings = verdict.standings
    if not standings:
        return {}
    policy = _policy(tuple((bucket.name, bucket.burst, bucket.per_second) for bucket, _, _ in standings))
    if verdict.refused:
        return {POLICY: policy, STATE: f'"{verdict.refused.name}";r=0;t={max(1, math.ceil(verdict.wait_seconds))}'}
    states = [f'"{bucket.name}";r={remaining};t={_whole(full_in)}' for bucket, remaining, full_in in standings]
    return {POLICY: policy, STATE: ", ".join(states)}


def _whole(seconds: float) -> int:
    """Whole seconds, rounded up; sums of floating-point numbers are off by less than a millisecond."""
    return math.ceil(round(seconds, 3))


@lru_cache(maxsize=1024)
def _policy(limits: Sequence[tuple[str, int, float]]) -> str:
    return ", ".join(
        f'"{name}";q={burst};w={max(1, math.ceil(Bucket(name, "", per_second, burst).window_seconds))}'
        for name, burst, per_second in limits
    )
