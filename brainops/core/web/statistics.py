"""Counters of served requests, for /internal/metrics."""

from __future__ import annotations

from django.http import HttpRequest

from brainops.core.metrics import Histogram

# by route, not by path: a path holds ids and would make a series each
REQUESTS = Histogram(
    "brainops_http_request_duration_seconds",
    "Time to answer a request, by route and status.",
    labels=("route", "method", "status"),
)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def count(request: HttpRequest, status: int, seconds: float) -> None:
    """Count one answer."""
    match = request.resolver_match
    method = request.method if request.method in _METHODS else "other"
    REQUESTS.observe(seconds, (match.route if match else "none", method or "other", str(status)))
