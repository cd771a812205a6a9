"""Lists, the same way everywhere: `?limit=50&cursor=…&ordering=-created_at&fields=id,name&count=true`.

The answer is `{"next": url, "previous": url, "results": […]}`. A cursor stays right while rows come and go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import DataError
from django.db.models import QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from brainops.core.api import cursors
from brainops.core.api.cursors import Cursor
from brainops.core.api.declared import members_of
from brainops.core.api.list_parameters import (
    LARGEST_PAGE,
    NEWEST_FIRST,
    USUAL_PAGE,
    chosen,
    ordering_of,
    orders_of,
    page_size,
    wants_count,
)

__all__ = ["LARGEST_PAGE", "NEWEST_FIRST", "CursorPages", "answer", "count", "ordering_of", "page_size", "wants_count"]

MOST_COUNTED = 10_000  # rows; a total beyond it would cost more than it says


class CursorPages(BasePagination):
    """Pages of any list.

    A view names its order: `page_ordering = ("-created_at", "-id")`. Its columns need an index, are never null and are
    unique together. A list with several says so by action: `orderings = {"list": {"-created_at": …, "name": …}}`; the
    first is the usual one, unless `page_ordering` says otherwise. `uncounted` holds actions whose total is not known.
    `widen` makes of the sliced rows what is shown of them, so that joins are for the rows of the page only.
    """

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """The rows of the page. Raises InvalidInput for a limit, cursor or order that is not one of ours."""
        self._request = request
        self._ordering = ordering_of(request, view)
        limit, self._cursor = page_size(request), self._read_cursor(queryset)
        self._widen = getattr(view, "widen", None)
        rows = self._fetch(queryset, limit + 1)
        self._has_more = len(rows) > limit
        self._rows = rows[:limit]
        if self._cursor and self._cursor.is_backward:
            self._rows.reverse()
        self._counted = count(queryset) if wants_count(request) else {}
        return self._rows

    def get_paginated_response(self, data: Any) -> Response:
        """The answer that holds a page."""
        return answer(self._request, data, next=self._next(), previous=self._previous(), counted=self._counted)

    def get_paginated_response_schema(self, schema: Any) -> dict[str, Any]:
        """The form of the answer, for the OpenAPI document."""
        link = {"type": ["string", "null"], "format": "uri", "example": None}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {
                "next": {**link, "description": "The page after this one; null on the last."},
                "previous": {**link, "description": "The page before this one; null on the first."},
                "results": schema,
                "count": {
                    "type": "integer",
                    "example": 1,
                    "description": f"By `count=true`; at most {MOST_COUNTED:,}.",
                },
                "count_is_exact": {
                    "type": "boolean",
                    "example": True,
                    "description": "False: there are more than `count`.",
                },
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """The query parameters of a list, for the OpenAPI document and the check at the door."""
        orders = orders_of(view)
        size = {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": USUAL_PAGE}
        found = [
            _parameter("limit", size, "Rows of a page."),
            _parameter("cursor", {"type": "string"}, "From `next` or `previous` of another page."),
            _parameter("fields", {"type": "string"}, "Comma-separated members to answer with."),
        ]
        if getattr(view, "action", None) not in getattr(view, "uncounted", ()):
            found.append(_parameter("count", {"type": "boolean"}, f"Add `count`, exact up to {MOST_COUNTED:,}."))
        if orders:
            usual = next(iter(orders))
            found.append(_parameter("ordering", {"enum": [*orders], "default": usual}, "The order of the rows."))
        return found

    def _read_cursor(self, queryset: QuerySet[Any, Any]) -> Cursor | None:
        text = self._request.query_params.get("cursor")
        return None if text is None else cursors.decode(text, self._ordering, queryset)

    def _fetch(self, queryset: QuerySet[Any, Any], most: int) -> list[Any]:
        order = self._ordering
        if self._cursor is not None:
            queryset = queryset.filter(cursors.beyond(self._cursor, order))
            order = cursors.turned(order) if self._cursor.is_backward else order
        page = queryset.order_by(*order)[:most]
        try:
            return list(page if self._widen is None else self._widen(page).order_by(*order))
        except (DataError, OverflowError) as error:  # a value that its column cannot hold
            raise (cursors.invalid() if self._cursor else error) from error

    def _next(self) -> str | None:
        has_next = self._has_more or (self._cursor is not None and self._cursor.is_backward)
        if self._rows and has_next:
            return self._link(Cursor(cursors.position(self._rows[-1], self._ordering)))
        # nothing stands before the cursor any more: the list begins here
        return remove_query_param(self._request.build_absolute_uri(), "cursor") if has_next else None

    def _previous(self) -> str | None:
        is_backward = self._cursor is not None and self._cursor.is_backward
        has_previous = self._has_more if is_backward else self._cursor is not None
        if not (self._rows and has_previous):
            return None
        return self._link(Cursor(cursors.position(self._rows[0], self._ordering), is_backward=True))

    def _link(self, cursor: Cursor) -> str:
        text = cursors.encode(cursor, self._ordering)
        link: str = replace_query_param(self._request.build_absolute_uri(), "cursor", text)
        return link


def answer(
    request: Request,
    rows: list[dict[str, Any]],
    *,
    next: str | None,
    previous: str | None = None,
    counted: Mapping[str, Any] | None = None,
) -> Response:
    """The answer of a list, with the members that `fields` asks for."""
    wanted = request.query_params.get("fields")
    if wanted is not None:
        members = chosen(wanted, members_of(request))
        rows = [{name: row[name] for name in members if name in row} for row in rows]
    return Response({"next": next, "previous": previous, **(counted or {}), "results": rows})


def count(queryset: QuerySet[Any, Any]) -> dict[str, Any]:
    """`count` and whether it is exact; no more than MOST_COUNTED rows are looked at."""
    found = queryset.order_by().values("pk")[: MOST_COUNTED + 1].count()
    return {"count": min(found, MOST_COUNTED), "count_is_exact": found <= MOST_COUNTED}


def _parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    kind = {"type": "string", **schema} if "enum" in schema else schema
    return {"name": name, "in": "query", "required": False, "description": description, "schema": kind}
