"""Pages by cursor: `?limit=50&cursor=…`, answers `{"results": […], "next": url, "previous": url}`.

A cursor stays right while rows come and go, and costs the same on page one and page one thousand.
"""

from __future__ import annotations

import base64
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DataError
from django.db.models import QuerySet
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request

from brainops.core.errors import InvalidInput, Problem

LARGEST_PAGE = 200


class CursorPages(CursorPagination):
    """The view names the order: `ordering = ("-created_at", "-id")`. Its columns need an index and must be unique."""

    page_size = 50
    page_size_query_param = "limit"
    max_page_size = LARGEST_PAGE
    cursor_query_param = "cursor"
    ordering = ("-created_at", "-id")

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: Any) -> tuple[str, ...]:
        """The view's own order, else newest first."""
        ordering = getattr(view, "page_ordering", self.ordering)
        return (ordering,) if isinstance(ordering, str) else tuple(ordering)

    def get_page_size(self, request: Request) -> int:
        """The asked size. A size that makes no sense is refused, not silently replaced."""
        given = request.query_params.get("limit")
        if given is None:
            return self.page_size
        if not (given.isascii() and given.isdigit() and len(given) < 5 and 1 <= int(given) <= LARGEST_PAGE):
            raise _invalid("limit", f"limit must be a whole number from 1 to {LARGEST_PAGE}, got {given[:20]!r}.")
        return int(given)

    def decode_cursor(self, request: Request) -> Any:
        """The cursor of the request. Raises ValueError for a text that we never make."""
        encoded = request.query_params.get(self.cursor_query_param)
        if encoded is not None and not base64.b64decode(
            encoded, validate=True
        ):  # the base class drops what is no base64
            raise ValueError("an empty cursor")
        return super().decode_cursor(request)

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        """The rows of the page. A cursor that was not made by us is refused, whatever stands in it."""
        try:
            page: list[Any] | None = super().paginate_queryset(queryset, request, view)
        except (NotFound, ValueError, ValidationError, DataError, OverflowError) as error:
            if "cursor" not in request.query_params:
                raise
            raise _invalid("cursor", "This cursor is not one of ours. Start without it.") from error
        return page


def _invalid(parameter: str, message: str) -> InvalidInput:
    return InvalidInput(message, problems=[Problem("invalid_parameter", message, parameter=parameter)])
