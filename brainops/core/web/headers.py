"""Headers that every answer carries, by kind of answer."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase

# An API answer is data: nothing in it may run or be framed, even when a browser opens it.
_API_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"
# No text becomes code: Alpine is the strict build (brainops/static), htmx is told not to evaluate. Inline styles come
# from charts.
_PAGE_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def add_api_headers(response: HttpResponseBase) -> None:
    """No caching and no execution. A view may have set its own value before."""
    given = response.headers
    given.setdefault("Cache-Control", "no-store")
    given.setdefault("Content-Security-Policy", _API_POLICY)


def add_page_headers(request: HttpRequest, response: HttpResponseBase) -> None:
    """The content policy of pages; static files set their own caching."""
    given = response.headers
    given.setdefault("Content-Security-Policy", _PAGE_POLICY)
    if "Cache-Control" not in given:
        given["Cache-Control"] = "no-store"
