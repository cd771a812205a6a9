"""Redirects, for the requests that opt in: where to go next, and what may be taken along."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urljoin

from brainops.core.egress.errors import TooManyRedirects
from brainops.core.egress.message import Answer, Request
from brainops.core.egress.urls import MAX_URL_LENGTH, Url, parse_url

MAX_REDIRECTS = 3

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KEEPING_METHOD = frozenset({307, 308})
# All that another origin gets to see. Keys hide in headers of any name, so the rest stays behind.
_HARMLESS = frozenset({"accept", "accept-language", "content-type", "user-agent"})


def next_request(request: Request, url: Url, answer: Answer) -> Request | None:
    """Build the request an answer redirects to; None when it is no redirect.

    Raises InvalidRequest or BlockedTarget for a bad address, TooManyRedirects when the redirect must not be followed.
    """
    location = answer.headers.get("location")
    if answer.status not in _REDIRECTS or not location:
        return None
    target = parse_url(urljoin(str(url), location[:MAX_URL_LENGTH]))
    moved = replace(request, url=str(target))
    if answer.status not in _KEEPING_METHOD:
        moved = _as_get(moved, answer.status)
    if target.origin == url.origin:
        return moved
    return _to_another_origin(moved, url, target)


def _as_get(request: Request, status: int) -> Request:
    """Follow 303 by GET, and 301 and 302 after POST as browsers do (RFC 9110 15.4.2-4)."""
    is_turned = request.method != "HEAD" if status == 303 else request.method == "POST"
    if not is_turned:
        return request
    kept = {name: value for name, value in request.headers.items() if not name.lower().startswith("content-")}
    kept = {name: value for name, value in kept.items() if name.lower() != "idempotency-key"}
    return replace(request, method="GET", body=b"", headers=kept)


def _to_another_origin(request: Request, url: Url, target: Url) -> Request:
    if url.scheme == "https" and target.scheme == "http":
        raise TooManyRedirects(f"{url.shown} redirects to plain http at {target.host}; that is not followed.")
    if request.body and target.host.text != url.host.text:
        raise TooManyRedirects(f"{url.shown} redirects to {target.host}; the body is not sent to another host.")
    kept = {name: value for name, value in request.headers.items() if name.lower() in _HARMLESS}
    return replace(request, headers=kept)
