"""The span of a request, where traces are on."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from brainops.core import logs, tracing
from brainops.core.tracing import Span

_OFF: AbstractContextManager[None] = nullcontext()


def request_span(request: HttpRequest) -> AbstractContextManager[Span | None]:
    """A span around the answer; a child of the caller's, where the caller names one that is well-formed."""
    if not tracing.is_on():
        return _OFF
    about = {"http.request.method": str(request.method), "brainops.request.id": logs.request_id.get()}
    parent = request.META.get("HTTP_TRACEPARENT", "")
    return tracing.span(str(request.method), tracing.SERVER, about, parent=parent)


def end_span(current: Span | None, request: HttpRequest, response: HttpResponseBase) -> None:
    """Say what became of it. By route, never by path: a path may hold the secret of a one-time URL."""
    if current is None:
        return
    match = request.resolver_match
    route = match.route if match else "none"
    current.name = f"{request.method} {route}"
    current.attributes |= {"http.route": route, "http.response.status_code": response.status_code}
    if response.status_code >= 500:
        current.error = str(response.status_code)
