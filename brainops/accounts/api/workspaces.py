"""/workspaces: list one's own, make, read, change, delete and hand over."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from brainops.accounts.api.members import MemberSerializer
from brainops.accounts.api.scope import ScopedViewSet
from brainops.accounts.models import Role, Workspace
from brainops.accounts.policy import Permission
from brainops.accounts.services import ownership, workspace_deletion, workspaces
from brainops.core.api.parameters import read_parameters
from brainops.core.api.public import ANY_CALLER
from brainops.core.api.serializers import ClosedModelSerializer, ClosedSerializer

WORKSPACE_META = "HTTP_BRAINOPS_WORKSPACE"
_SLUG_HELP = "Names the workspace in the header Brainops-Workspace: small letters, digits, single dashes."


class WorkspaceSerializer(ClosedModelSerializer):
    """A workspace of the caller. Quotas are set by staff; null is the installation's default."""

    name = serializers.CharField(max_length=100)
    slug = serializers.CharField(max_length=workspaces.SLUG_LETTERS, required=False, help_text=_SLUG_HELP)
    role = serializers.ChoiceField(choices=Role.choices, source="my_role", read_only=True)
    member_id = serializers.UUIDField(read_only=True, help_text="Of the caller, for DELETE /members/{id}.")

    class Meta:
        model = Workspace
        fields = ["id", "name", "slug", "role", "member_id", "created_at", *workspaces.CHANGEABLE[2:]]
        read_only_fields = ["id", "created_at"]


class NewWorkspaceSerializer(ClosedSerializer):
    """What a new workspace needs."""

    name = serializers.CharField(max_length=100)
    slug = serializers.CharField(max_length=workspaces.SLUG_LETTERS, required=False, help_text=_SLUG_HELP)


class TransferSerializer(ClosedSerializer):
    """Who becomes Owner, and what the caller is then."""

    to = serializers.UUIDField(help_text="Id of a member.")
    own_role = serializers.ChoiceField(
        choices=[role for role in Role.choices if role[0] != Role.OWNER], default=Role.ADMIN.value
    )


class DeletionParameters(ClosedSerializer):
    """The query parameters of a deletion."""

    confirm = serializers.CharField(required=False, max_length=100, help_text="The slug; not needed for a dry run.")
    dry_run = serializers.BooleanField(required=False, help_text="Only say what would be deleted.")
    with_active_runs = serializers.BooleanField(required=False, help_text="Also while runs are active.")


class WorkspaceDeletion(serializers.Serializer[Any]):
    """What went, or would go, along with a workspace: rows by kind."""

    dry_run = serializers.BooleanField()
    deleted = serializers.DictField(child=serializers.IntegerField())


_EXAMPLE = OpenApiExample("A new workspace", {"name": "Acme Shop", "slug": "acme-shop"}, request_only=True)


@extend_schema(tags=["Workspaces"])
class WorkspaceViewSet(ScopedViewSet):
    """The workspaces of the caller. Where the address names one, the header Brainops-Workspace is not needed."""

    queryset = Workspace.objects.all()
    workspace_field = "id"
    serializer_class = WorkspaceSerializer
    page_ordering = ("slug",)
    permissions = {
        "list": ANY_CALLER,
        "create": ANY_CALLER,
        "retrieve": ANY_CALLER,
        "partial_update": Permission.WORKSPACE_UPDATE,
        "destroy": Permission.WORKSPACE_DELETE,
        "transfer": Permission.WORKSPACE_TRANSFER,
    }

    def initialize_request(self, request: Any, *args: Any, **kwargs: Any) -> Request:
        """Let the address say which workspace is meant, before the caller is looked up."""
        if "id" in kwargs:
            request.META[WORKSPACE_META] = str(kwargs["id"])
        return super().initialize_request(request, *args, **kwargs)

    @extend_schema(summary="List my workspaces")
    def list(self, request: Request) -> Response:
        """The workspaces that the caller is a member of; for an API key the one it is for."""
        page = self.paginate_queryset(workspaces.mine(self.caller)) or []
        return self.get_paginated_response(WorkspaceSerializer(page, many=True).data)

    @extend_schema(
        summary="Make a workspace",
        request=NewWorkspaceSerializer,
        responses={201: WorkspaceSerializer},
        examples=[_EXAMPLE],
    )
    def create(self, request: Request) -> Response:
        """Make a workspace; the caller becomes its Owner. An installation may leave this to staff."""
        given = NewWorkspaceSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        row = workspaces.create(self.caller, **given.validated_data)
        shown = workspaces.mine(self.caller).get(id=row.id)
        return Response(WorkspaceSerializer(shown).data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Read a workspace")
    def retrieve(self, request: Request, id: UUID) -> Response:
        """One workspace of the caller, with its quotas."""
        return Response(WorkspaceSerializer(workspaces.get(self.caller)).data)

    @extend_schema(
        summary="Change a workspace",
        examples=[OpenApiExample("Demand If-Match", {"requires_if_match": True}, request_only=True)],
    )
    def partial_update(self, request: Request, id: UUID) -> Response:
        """Change name, slug or what the workspace demands. Quotas are taken from staff only."""
        given = WorkspaceSerializer(data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        return Response(WorkspaceSerializer(workspaces.change(self.caller, given.validated_data)).data)

    @extend_schema(summary="Delete a workspace", parameters=[DeletionParameters], responses={200: WorkspaceDeletion})
    def destroy(self, request: Request, id: UUID) -> Response:
        """Delete a workspace with everything in it; its audit log stays. `dry_run=true` only counts what would go."""
        wanted = read_parameters(DeletionParameters, request)
        if wanted.get("dry_run"):
            return Response({"dry_run": True, "deleted": workspace_deletion.what_goes_with(self.caller)})
        counts = workspace_deletion.delete(
            self.caller,
            confirm=wanted.get("confirm", ""),
            with_active_runs=wanted.get("with_active_runs", False),
        )
        return Response({"dry_run": False, "deleted": counts})

    @extend_schema(
        summary="Hand a workspace over",
        request=TransferSerializer,
        responses={200: MemberSerializer},
        examples=[
            OpenApiExample(
                "Stay as admin", {"to": "0b8f6a52-6a7e-4d0c-9a55-3f6d0f3b8a11", "own_role": "admin"}, request_only=True
            )
        ],
    )
    def transfer(self, request: Request, id: UUID) -> Response:
        """Make another member Owner in the caller's place, both at once. Answers with the new Owner."""
        given = TransferSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        wanted = given.validated_data
        member = ownership.transfer(self.caller, to=wanted["to"], own_role=Role(wanted["own_role"]))
        return Response(MemberSerializer(member).data)
