"""GET /health: one public word; the state of the parts for staff."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from brainops.core import health
from brainops.core.api.parameters import KnownParameters
from brainops.core.errors import DatabaseUnavailable

_HEALTH = inline_serializer(
    "Health",
    {
        "status": serializers.CharField(help_text="`ok`; for staff also `degraded` or `down`."),
        "components": serializers.ListField(child=serializers.DictField(), required=False, help_text="Staff only."),
    },
)


class HealthView(KnownParameters):
    """Is the installation fit to serve?"""

    permission_classes = ()

    @extend_schema(summary="Health", responses={200: _HEALTH}, tags=["Health"])
    def get(self, request: Request) -> Response:
        """`{"status": "ok"}`, or 503 when nothing can be accepted. Staff see every part."""
        if getattr(request.auth, "is_staff", False):
            return Response(health.report())
        if not health.database().is_up:
            raise DatabaseUnavailable(retry_after_seconds=5)
        body: dict[str, Any] = {"status": "ok"}
        return Response(body)
