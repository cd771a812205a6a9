"""Pages that only go forward, over rows that are not a table's: the items of a loop, the effects of a run."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BadBase64
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from brainops.core.api import cursors
from brainops.core.api.pagination import answer, page_size

__all__ = ["forward", "page_size", "read_after"]

_MARK = b"after="
_LARGEST = 2**31 - 1


def read_after(request: Request, *, first: int) -> int:
    """Where the page starts; `first` without a cursor. Raises InvalidInput for a cursor that we never made."""
    text = request.query_params.get("cursor")
    if text is None:
        return first
    try:
        mark, _, number = urlsafe_b64decode(text.encode()).partition(b"=")
        after = int(number)
    except (BadBase64, ValueError):
        mark, after = b"", -1
    if mark + b"=" != _MARK or not 0 <= after <= _LARGEST:
        raise cursors.invalid()
    return after


def forward(request: Request, rows: list[dict[str, Any]], *, next_after: int | None) -> Response:
    """The answer, in the shape of every list; `previous` is always null."""
    link = None
    if next_after is not None:
        cursor = urlsafe_b64encode(_MARK + str(next_after).encode()).decode()
        link = replace_query_param(request.build_absolute_uri(), "cursor", cursor)
    return answer(request, rows, next=link)
