"""A router without trailing slashes, for viewsets whose rows are named by a UUID."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter


class Router(SimpleRouter):
    """Routes declared once; the form with a slash is served by core.web.context."""

    def __init__(self) -> None:
        super().__init__(trailing_slash=False, use_regex_path=False)
