"""/admin/workspaces/{id}/quotas: what staff allow a workspace."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from brainops.accounts.api.scope import CallerView
from brainops.accounts.models import Workspace
from brainops.accounts.services import workspaces
from brainops.core.api.public import ANY_CALLER
from brainops.core.api.serializers import ClosedModelSerializer
from brainops.core.errors import NotFound, PermissionDenied


class QuotasSerializer(ClosedModelSerializer):
    """Quotas of a workspace; null is the installation's default."""

    class Meta:
        model = Workspace
        fields = [*workspaces.QUOTAS]
        extra_kwargs = {name: {"required": False, "allow_null": True} for name in workspaces.QUOTAS}


@extend_schema(tags=["Admin"])
class QuotasView(CallerView):
    """Quotas of any workspace, for staff. Staff have no role in workspaces they are no members of."""

    permissions = {"get": ANY_CALLER, "patch": ANY_CALLER}  # of no workspace: being staff decides

    @extend_schema(summary="Read quotas", responses={200: QuotasSerializer})
    def get(self, request: Request, id: UUID) -> Response:
        """The quotas of a workspace."""
        self._require_staff()
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
        """Set quotas; null goes back to the installation's default."""
        self._require_staff()
        given = QuotasSerializer(data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        return Response(QuotasSerializer(workspaces.write(id, given.validated_data, by=self.caller)).data)

    def _require_staff(self) -> None:
        if not self.caller.is_staff:
            raise PermissionDenied("Only staff of this installation may do this, with a login.")
