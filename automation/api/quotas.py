"""GET /quotas: what the workspace has and may have."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from automation.api.parameters import read_parameters
from automation.services import quotas
from brainops.accounts.api.scope import CallerView
from brainops.accounts.policy import Permission
from brainops.core.api.serializers import ClosedSerializer

EXAMPLE = {
    "workflows": {"used": 12, "limit": 100},
    "active_triggers": {"used": 7, "limit": None},
    "runs_per_day": {"used": 8123, "limit": 100_000, "resets_at": "2026-11-24T00:00:00Z"},
    "storage_bytes": {"used": 73_400_320, "limit": 10_737_418_240, "measured_at": "2026-11-23T10:55:02Z"},
}


class QuotaShape(serializers.Serializer[Any]):
    """One quota."""

    used = serializers.IntegerField()
    limit = serializers.IntegerField(allow_null=True, help_text="null: there is no quota.")


class DayQuotaShape(QuotaShape):
    """Runs of this UTC day."""

    resets_at = serializers.DateTimeField(help_text="When the next day begins.")


class StorageQuotaShape(QuotaShape):
    """Bytes that the workspace's runs take."""

    measured_at = serializers.DateTimeField(allow_null=True, help_text="null: not yet; every five minutes.")


class QuotasShape(serializers.Serializer[Any]):
    """The quotas of the workspace and how full they are."""

    workflows = QuotaShape()
    active_triggers = QuotaShape()
    runs_per_day = DayQuotaShape()
    storage_bytes = StorageQuotaShape()


class QuotasView(CallerView):
    """Quotas."""

    permissions = {"get": Permission.WORKFLOWS_READ}

    @extend_schema(
        summary="Read the quotas",
        tags=["Accounts"],
        responses={200: QuotasShape},
        examples=[OpenApiExample("With some quotas", EXAMPLE, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        """How much the workspace has of what it may have. Staff sets quotas."""
        read_parameters(ClosedSerializer, request)
        found = {use.name: use for use in quotas.uses(self.caller.workspace())}
        return Response(QuotasShape(found).data)
