"""What every list takes: `limit`, `ordering`, `fields`, `count`. Checked before anything is looked up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework.request import Request

from brainops.core.api.cursors import Ordering
from brainops.core.errors import InvalidInput, Problem

LARGEST_PAGE = 200
USUAL_PAGE = 50
NEWEST_FIRST: Ordering = ("-created_at", "-id")
OF_ALL_LISTS = frozenset({"limit", "cursor", "count", "fields", "ordering"})


def check_list(view: Any, request: Request, members: tuple[str, ...]) -> None:
    """Raise InvalidInput for a value that means nothing. A cursor is read with the rows."""
    page_size(request)
    ordering_of(request, view)
    wants_count(request)
    chosen(request.query_params.get("fields"), members)


def page_size(request: Request) -> int:
    """The asked size. A size that makes no sense is refused, not silently replaced."""
    given = request.query_params.get("limit")
    if given is None:
        return USUAL_PAGE
    if not (given.isascii() and given.isdigit() and len(given) < 5 and 1 <= int(given) <= LARGEST_PAGE):
        raise _invalid("limit", f"limit must be a whole number from 1 to {LARGEST_PAGE}, got {given[:20]!r}.")
    return int(given)


def ordering_of(request: Request, view: Any) -> Ordering:
    """The asked order, from the view's literal map; else the view's own. Raises InvalidInput."""
    orders = orders_of(view)
    name = request.query_params.get("ordering")
    if name is not None and name not in orders:
        raise _invalid("ordering", f"ordering: there is no {name[:40]!r}. Known: {', '.join(orders)}.")
    if name is not None:
        return orders[name]
    own: Ordering | str = getattr(view, "page_ordering", next(iter(orders.values()), NEWEST_FIRST))
    return (own,) if isinstance(own, str) else tuple(own)


def orders_of(view: Any) -> Mapping[str, Ordering]:
    """The orders a caller may choose from for what the view does now."""
    orders: Mapping[str, Ordering] = getattr(view, "orderings", {}).get(getattr(view, "action", None), {})
    return orders


def wants_count(request: Request) -> bool:
    """Whether the caller asks for the total. Raises InvalidInput."""
    given = request.query_params.get("count", "false")
    if given not in ("true", "false"):
        raise _invalid("count", f"count must be true or false, got {given[:20]!r}.")
    return given == "true"


def chosen(wanted: str | None, known: tuple[str, ...]) -> tuple[str, ...]:
    """The members that `fields` names, in the usual order. Raises InvalidInput for unknown ones."""
    if wanted is None:
        return known
    names = [name.strip() for name in wanted.split(",") if name.strip()]
    strange = [name for name in names if name not in known]
    if strange or not names:
        said = f"fields: there is no {strange[0][:40]!r}." if strange else "fields names nothing."
        raise _invalid("fields", f"{said} Known: {', '.join(known)}.")
    return tuple(name for name in known if name in names)


def _invalid(parameter: str, message: str) -> InvalidInput:
    return InvalidInput(message, problems=[Problem("invalid_parameter", message, parameter=parameter)])
