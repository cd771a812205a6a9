"""/workflows/{id}/versions: what a workflow was, and the way back."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from automation.api import workflow_shape
from automation.api.bodies import NOTHING
from automation.api.parameters import IF_MATCH
from automation.api.workflow_shape import VersionShape, VersionSummary, WorkflowShape
from automation.api.workflows import require_match, shown, workflow_id_parameter
from automation.models import WorkflowVersion
from automation.services import versions, workflows
from brainops.accounts.api.scope import ScopedViewSet
from brainops.accounts.policy import Permission

NUMBER = OpenApiParameter("number", str, OpenApiParameter.PATH, description="The version's number: 1.4.2.")


@extend_schema(tags=["Workflows"])
class VersionViewSet(ScopedViewSet):
    """The versions of one workflow. They never change."""

    queryset = WorkflowVersion.objects.all()
    serializer_class = VersionSummary
    page_ordering = ("-ordinal",)
    creator_may = True
    permissions = {
        "list": Permission.WORKFLOWS_READ,
        "retrieve": Permission.WORKFLOWS_READ,
        "restore": Permission.WORKFLOWS_UPDATE,
    }

    @extend_schema(
        summary="List the versions of a workflow",
        parameters=[workflow_id_parameter()],
        responses={200: VersionSummary(many=True)},
    )
    def list(self, request: Request, id: UUID) -> Response:
        """Every version, newest first, without its document."""
        rows = versions.versions_of(workflows.get_workflow(self.caller, id)).defer("definition", "meta_data")
        page = self.paginate_queryset(rows) or []
        return self.get_paginated_response([workflow_shape.version_summary(row) for row in page])

    @extend_schema(
        summary="Read a version of a workflow",
        parameters=[workflow_id_parameter(), NUMBER],
        responses={200: VersionShape},
    )
    def retrieve(self, request: Request, id: UUID, number: str) -> Response:
        """One version with its document."""
        row = versions.get_version(workflows.get_workflow(self.caller, id), number)
        return Response(workflow_shape.version(row))

    @extend_schema(
        summary="Restore a version of a workflow",
        parameters=[workflow_id_parameter(), NUMBER, IF_MATCH],
        request=None,
        responses={200: WorkflowShape},
    )
    def restore(self, request: Request, id: UUID, number: str) -> Response:
        """Make what a version holds the newest version. The versions in between stay."""
        NOTHING.read(request)
        return shown(workflows.restore(self.caller, id, number, check=lambda row: require_match(request, row)))
