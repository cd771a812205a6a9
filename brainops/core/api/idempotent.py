"""`Idempotency-Key`: a request that is sent twice is done once and answered twice.

The keys are kept by a room that stands above some of its callers, so it registers itself here as their keeper.
Source: draft-ietf-httpapi-idempotency-key-header.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from brainops.core.api.answer import Answer
from brainops.core.registry import Registry

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Sent again with the same key within 24 hours, a request is answered again and not done again.",
)
REPLAYED = {"Brainops-Duplicate": "true"}


# Functions of request, caller and work: do the work, or give the answer that the same request got before.
keepers: Registry[Callable[[Request, Any, Callable[[], Answer]], Answer]] = Registry("keeper of idempotency keys")


def done_once(
    request: Request, caller: Any, work: Callable[[], Answer], *, shown_once: Mapping[str, Any] | None = None
) -> Response:
    """The response to a request whose work is done once.

    `shown_once` are members that only the first answer has: a secret is never kept, not even for a repeated request.
    The work fills them in.
    """
    answer = keepers.get("database")(request, caller, work)
    extra = REPLAYED if answer.is_replay else {}
    return Response({**answer.body, **(shown_once or {})}, answer.status, headers={**answer.headers, **extra})
