"""The limits of the settings by name, and the refusal of whoever is beyond one."""

from __future__ import annotations

from django.conf import settings

from brainops.core.errors import TooManyRequests
from brainops.core.ratelimit.buckets import Bucket, Verdict
from brainops.core.ratelimit.headers import rate_headers
from brainops.core.ratelimit.limiter import limiter

CODE = "rate_limited"


def bucket(name: str, *owner: object) -> Bucket:
    """The bucket of an owner under a limit of `settings.BRAINOPS_RATES`, such as `key_reads`.

    The workspace comes first in `owner`, where there is one.
    """
    per_second: float = settings.BRAINOPS_RATES[name]
    burst = max(1, int(per_second * settings.BRAINOPS_RATE_BURST_SECONDS))
    return Bucket(name.replace("_", "-"), ":".join(map(str, owner)), per_second, burst)


def require(*buckets: Bucket) -> Verdict:
    """Count one request against each bucket. Raises TooManyRequests (`rate_limited`) that names the empty one."""
    verdict = limiter.take(*buckets)
    if verdict.refused is not None:
        raise refusal(verdict)
    return verdict


def refusal(verdict: Verdict) -> TooManyRequests:
    """What whoever was refused is told."""
    limit = verdict.refused
    if limit is None:
        raise ValueError("Nothing was refused.")
    # the setting and its value, not the address or key it was counted for: the caller knows who it is
    setting = f"BRAINOPS_RATE_{limit.name.replace('-', '_').upper()}_PER_SECOND"
    return TooManyRequests(
        f"The limit {limit.name!r} is reached: {limit.per_second:g} a second, {limit.burst} at once. "
        "Come back after Retry-After seconds.",
        code=CODE,
        details={
            "limit": {"name": limit.name, "per_second": limit.per_second, "burst": limit.burst, "setting": setting}
        },
        retry_after_seconds=verdict.wait_seconds,
        headers=rate_headers(verdict),
    )
