"""Query parameters and headers that several views take. How they are read: `brainops/core/api/parameters.py`."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request

from brainops.core.api.idempotent import IDEMPOTENCY_KEY
from brainops.core.api.parameters import IF_MATCH, Fields, Several, chosen, read_parameters
from brainops.core.api.serializers import ClosedSerializer

__all__ = ["IDEMPOTENCY_KEY", "IF_MATCH", "WAIT", "Fields", "Several", "chosen", "read_parameters", "read_wait_seconds"]

LONGEST_WAIT_SECONDS = 60

WAIT = OpenApiParameter(
    "wait",
    float,
    description=f"Seconds (at most {LONGEST_WAIT_SECONDS}) to wait for the result: 200 with the run when it ends in "
    "time, else 202. Without it the answer is 202 at once.",
)


class WaitParameter(ClosedSerializer):
    """`?wait=10`."""

    wait = serializers.FloatField(required=False, min_value=0, max_value=LONGEST_WAIT_SECONDS)


def read_wait_seconds(request: Request) -> float | None:
    """How long the caller wants to wait for the result; None for not at all."""
    seconds = read_parameters(WaitParameter, request).get("wait")
    if seconds:
        request._request.may_wait = True  # type: ignore[attr-defined]  # a long answer is no slow one
    return seconds or None
