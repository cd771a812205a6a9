"""Middleware that serves pages (admin) and steps aside for the API.

The API never looks at cookies, so it needs no session, no messages, no cookie login; skipping them saves about half of
Django's own time for a request. Looking at the path is safe in this direction: stepping aside can only *take away* an
identity. A page that was taken for an API call would have no user and be refused, and an API view that was taken for a
page still authenticates by its own classes, which read no session.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from whitenoise.middleware import WhiteNoiseMiddleware

API_ROOT = "/api/"


def is_api(request: HttpRequest) -> bool:
    """True for an address of the API."""
    return request.path_info.startswith(API_ROOT)


class _PagesOnly:
    """Goes first in the bases: hands API requests straight to the next layer."""

    get_response: Any  # set by the middleware that this stands before

    def __call__(self, request: HttpRequest) -> Any:
        if is_api(request):
            return self.get_response(request)
        behind: Any = super()
        return behind.__call__(request)


class Sessions(_PagesOnly, SessionMiddleware):
    """Sessions in the database, for pages."""


class Authentication(_PagesOnly, AuthenticationMiddleware):
    """`request.user` from the session, for pages."""


class Messages(_PagesOnly, MessageMiddleware):
    """One-time notices, for pages."""


class StaticFiles(_PagesOnly, WhiteNoiseMiddleware):  # type: ignore[misc]  # whitenoise has no types
    """Style sheets and scripts of the pages."""

    def add_files(self, root: str, prefix: str | None = None) -> None:
        """Add a folder that is there; without `collectstatic` the files come from the packages instead."""
        if Path(root).is_dir():
            super().add_files(root, prefix)
