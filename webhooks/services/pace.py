"""How many verified deliveries an endpoint takes: what the installation allows, and what its own config says."""

from __future__ import annotations

from brainops.core.errors import TooManyRequests
from brainops.core.ratelimit.buckets import Bucket
from brainops.core.ratelimit.headers import rate_headers
from brainops.core.ratelimit.limiter import limiter
from brainops.core.ratelimit.rates import bucket, refusal
from webhooks.services.states import EndpointState

OWN = "webhook-own-rate"
MINUTE = 60.0  # seconds


def require_pace(state: EndpointState) -> None:
    """Count one delivery. Raises TooManyRequests (`rate_limited`)."""
    buckets = [bucket("webhook_deliveries", state.stored.workspace_id, state.stored.endpoint_id)]
    if state.front.rate_per_minute:
        buckets.append(_own(state, state.front.rate_per_minute))
    verdict = limiter.take(*buckets)
    if verdict.refused is None:
        return
    if verdict.refused.name != OWN:
        raise refusal(verdict)
    per_minute = state.front.rate_per_minute
    raise TooManyRequests(
        f"This webhook takes {per_minute} deliveries a minute. Come back after Retry-After seconds.",
        code="rate_limited",
        details={"limit": {"name": OWN, "per_minute": per_minute}},
        retry_after_seconds=verdict.wait_seconds,
        headers=rate_headers(verdict),
    )


def _own(state: EndpointState, per_minute: int) -> Bucket:
    """Half of the number may come at once, the other half comes back over the minute: so no minute sees more."""
    burst = max(1, per_minute // 2)
    return Bucket(OWN, f"{state.stored.workspace_id}:{state.stored.endpoint_id}", burst / MINUTE, burst)
