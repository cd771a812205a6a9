"""/admin/…: workflows and runs of all workspaces, for staff."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from automation.api import admin_shape
from automation.api.admin_shape import AdminRunShape, AdminWorkflowShape
from automation.api.bulk import BODY, BulkReport, read_body, read_order
from automation.api.bulk_shape import read_filter, read_which, report_body
from automation.api.parameters import read_parameters
from automation.api.run_schema import RUN_STATUSES
from automation.models import Run, Workflow
from automation.services import bulk, everywhere
from brainops.accounts.api.scope import CallerView, ScopedViewSet
from brainops.core import clock
from brainops.core.api.public import STAFF
from brainops.core.api.serializers import ClosedSerializer
from brainops.core.errors import InvalidInput, Problem

USER_ID = OpenApiParameter("user_id", UUID, OpenApiParameter.PATH, description="The user.")
ORDERS = {
    "-created_at": ("-created_at", "-id"),
    "created_at": ("created_at", "id"),
    "-updated_at": ("-updated_at", "-id"),
    "updated_at": ("updated_at", "id"),
    "name": ("name", "id"),
    "-name": ("-name", "-id"),
}


class OwnedFilters(ClosedSerializer):
    """The query parameters of a user's workflows."""

    search = serializers.CharField(required=False, max_length=200, help_text="In name, description or a whole tag.")
    tag = serializers.ListField(
        child=serializers.CharField(max_length=50), required=False, max_length=10, help_text="Has all of these tags."
    )
    is_active = serializers.BooleanField(required=False)
    is_archived = serializers.BooleanField(required=False)
    workspace = serializers.UUIDField(required=False, help_text="Only of this workspace.")
    created_since = serializers.DateTimeField(required=False)
    created_until = serializers.DateTimeField(required=False)
    updated_since = serializers.DateTimeField(required=False)
    updated_until = serializers.DateTimeField(required=False)


class AdminWorkflowFilters(OwnedFilters):
    """Those of all workflows."""

    owner = serializers.UUIDField(required=False, help_text="Only of this user.")


class AdminRunFilters(ClosedSerializer):
    """The query parameters of all runs."""

    status = serializers.ListField(
        child=serializers.ChoiceField(RUN_STATUSES), required=False, help_text="Any of these; repeat the parameter."
    )
    workspace = serializers.UUIDField(required=False, help_text="Only of this workspace.")
    owner = serializers.UUIDField(required=False, help_text="Only of workflows that this user owns.")
    workflow_id = serializers.UUIDField(required=False)
    created_by = serializers.UUIDField(required=False, help_text="Only those that this user asked for.")
    trigger_id = serializers.UUIDField(required=False)
    created_since = serializers.DateTimeField(required=False)
    created_until = serializers.DateTimeField(required=False)


@extend_schema(tags=["Admin"])
class AdminWorkflowViewSet(ScopedViewSet):
    """The workflows of all workspaces."""

    queryset = Workflow.objects.all()
    serializer_class = AdminWorkflowShape
    orderings = {"list": ORDERS, "of_user": ORDERS}
    permissions = {"list": STAFF, "of_user": STAFF}

    @extend_schema(summary="List all workflows", parameters=[AdminWorkflowFilters])
    def list(self, request: Request) -> Response:
        """The workflows of all workspaces, with workspace and owner. For staff."""
        return self._page(everywhere.workflows(self.caller, **read_parameters(AdminWorkflowFilters, request)))

    @extend_schema(
        summary="List a user's workflows",
        parameters=[USER_ID, OwnedFilters],
        responses={200: AdminWorkflowShape(many=True)},
    )
    def of_user(self, request: Request, user_id: UUID) -> Response:
        """The workflows that a user owns, in whichever workspace. For staff."""
        wanted = read_parameters(OwnedFilters, request)
        return self._page(everywhere.workflows_of(self.caller, user_id, **wanted))

    def _page(self, rows: Any) -> Response:
        page = self.paginate_queryset(rows) or []
        return self.get_paginated_response([admin_shape.workflow(row) for row in page])


@extend_schema(tags=["Admin"])
class AdminRunViewSet(ScopedViewSet):
    """The runs of all workspaces."""

    queryset = Run.objects.all()
    serializer_class = AdminRunShape
    page_ordering = ("-id",)
    permissions = {"list": STAFF}

    @extend_schema(summary="List all runs", parameters=[AdminRunFilters])
    def list(self, request: Request) -> Response:
        """The runs of all workspaces, newest first, with workspace and owner. For staff."""
        rows = everywhere.runs(self.caller, **read_parameters(AdminRunFilters, request))
        now = clock.now()
        return self.get_paginated_response([admin_shape.run(row, now) for row in self.paginate_queryset(rows) or []])


class AdminBulkView(CallerView):
    """Changes workflows of any workspace."""

    permissions = {"post": STAFF}

    @extend_schema(
        summary="Change workflows of all workspaces",
        tags=["Admin"],
        request=BODY.media,
        responses={200: BulkReport, 409: OpenApiResponse(description="bulk_refused: all or nothing became nothing.")},
    )
    def post(self, request: Request) -> Response:
        """What POST /workflows/bulk does, on workflows of any workspace. For staff who may change or delete them."""
        body = read_body(request)
        if body["action"] == "export":  # a file belongs to one workspace
            said = "Workflows are exported from their workspace, not from all of them."
            raise InvalidInput(said, problems=[Problem("not_here", said, "/action")])
        order = read_order(body, read_which(body, self._find))
        report = everywhere.change_workflows(self.caller, order)
        return Response(report_body(order.action, report, order.manner))

    def _find(self, given: Any) -> Any:
        rows = everywhere.workflows(self.caller, **read_filter(AdminWorkflowFilters, given))
        return bulk.ids_of(rows.order_by("-created_at", "-id"))
