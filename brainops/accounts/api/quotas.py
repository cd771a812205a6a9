"""/admin/workspaces/{id}/quotas: what staff allow a workspace."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from brainops.accounts.api.scope import CallerView
from brainops.accounts.models import Workspace
from brainops.accounts.services import workspaces
from brainops.core.api.public import STAFF
from brainops.core.api.serializers import ClosedModelSerializer
from brainops.core.errors import NotFound


class QuotasSerializer(ClosedModelSerializer):
    """Quotas of a workspace; null is the installation's default."""

    class Meta:
        model = Workspace
        fields = [*workspaces.QUOTAS]
        extra_kwargs = {name: {"required": False, "allow_null": True} for name in workspaces.QUOTAS}


@extend_schema(tags=["Admin"])
class QuotasView(CallerView):
    """Quotas of any workspace, for staff. Staff have no role in workspaces they are no members of."""

    permissions = {"get": STAFF, "patch": STAFF}

    @extend_schema(summary="Read quotas", responses={200: QuotasSerializer})
    def get(self, request: Request, id: UUID) -> Response:
        """The quotas of a workspace."""
        row = Workspace.objects.filter(id=id).first()
        if row is None:
            raise NotFound
        return Response(QuotasSerializer(row).data)

    @extend_schema(
        summary="Change quotas",
        request=QuotasSerializer,
        responses={200: QuotasSerializer},
        examples=[OpenApiExample("A thousand runs a day", {"max_runs_per_day": 1000}, request_only=True)],
    )
    def patch(self, request: Request, id: UUID) -> Response:
        """Set quotas; null goes back to the installation's default. For staff who may change workspaces."""
        given = QuotasSerializer(data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        return Response(QuotasSerializer(workspaces.set_quotas(self.caller, id, given.validated_data)).data)
