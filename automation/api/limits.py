"""/limits: how full the limits of the workspace's workflows are."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from automation.api.parameters import read_parameters
from automation.models import Limit
from automation.services import limit_reading
from automation.services.limit_reading import LimitRow
from brainops.accounts.api.scope import ScopedViewSet
from brainops.accounts.policy import Permission
from brainops.core.api.serializers import ClosedSerializer


class LimitShape(serializers.Serializer[Any]):
    """A limit with a key: how many runs may be under way, and how many are."""

    key = serializers.CharField(help_text="The id of the workflow, a colon, and the value of its key.")
    value = serializers.CharField(help_text="The value of the key; empty where all runs of the workflow share it.")
    workflow_id = serializers.UUIDField()
    workflow_name = serializers.CharField()
    capacity = serializers.IntegerField(allow_null=True, help_text="null: the newest version has no limit any more.")
    under_way = serializers.IntegerField(help_text="Runs that hold a slot: queued, running or waiting.")
    waiting = serializers.IntegerField(help_text="Blocked runs, counted up to 10,000.")


MEMBERS = tuple(LimitShape().fields)


class LimitFilters(ClosedSerializer):
    """The query parameters of the list."""

    workflow_id = serializers.UUIDField(required=False)


@extend_schema(tags=["Runs"])
class LimitViewSet(ScopedViewSet):
    """The limits of the workspace."""

    queryset = Limit.objects.all()
    workspace_field = "workflow__workspace_id"
    serializer_class = LimitShape
    page_ordering = ("key",)
    permissions = {"list": Permission.RUNS_READ}

    @extend_schema(summary="List limits", parameters=[LimitFilters], responses={200: LimitShape(many=True)})
    def list(self, request: Request) -> Response:
        """Limits that runs have had within the last hour, by key."""
        wanted = read_parameters(LimitFilters, request)
        rows = limit_reading.with_names(self.get_queryset()).filter(**wanted)
        page = self.paginate_queryset(rows) or []
        return self.get_paginated_response([_shown(row) for row in limit_reading.rows_of(page)])


def _shown(row: LimitRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in MEMBERS}
