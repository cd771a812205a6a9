"""Rate limits at the edge of the API: one bucket for each network, and the headers of every limited answer."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from brainops.core.ratelimit.buckets import Verdict
from brainops.core.ratelimit.headers import rate_headers
from brainops.core.ratelimit.rates import bucket, require
from brainops.core.web.clients import current_ip, network_of


def require_network_pace() -> None:
    """Count a request against its network, before anything is looked up. Raises TooManyRequests."""
    require(bucket("address_requests", network_of(current_ip.get())))


def tell(request: Any, verdict: Verdict) -> None:
    """Keep a verdict for the headers of the answer to a request, Django's or DRF's."""
    getattr(request, "_request", request).rate_verdict = verdict


def add_rate_headers(request: HttpRequest, response: HttpResponseBase) -> None:
    """Say how the caller's limits stand; a refusal has said it itself."""
    verdict = getattr(request, "rate_verdict", None)
    if verdict is not None:
        for name, value in rate_headers(verdict).items():
            response.headers.setdefault(name, value)
