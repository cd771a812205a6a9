"""/variables: what all workflows of a workspace read as `vars.<name>`."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from automation.api.bodies import Body
from automation.api.parameters import IF_MATCH, read_parameters
from automation.models import Secret, Variable
from automation.services import mentioned, variables
from brainops.accounts.api.scope import ScopedViewSet
from brainops.accounts.policy import Permission
from brainops.core.api.etag import check_if_match, entity_tag
from brainops.core.api.serializers import ClosedSerializer

Json = Any
NAME = OpenApiParameter("name", str, OpenApiParameter.PATH, description="The name behind `vars.` or `secrets.`.")
NAME_FIELD = {
    "type": "string",
    "pattern": variables.NAME_PATTERN,
    "x-hint": "1 to 64 letters, digits and _, no digit first",
    "examples": ["base_url"],
}
VALUE = {"description": "Any JSON value, at most 32 KiB.", "examples": ["https://shop.example"]}
DESCRIPTION = {"type": "string", "maxLength": 1_000, "default": ""}
NEW = Body({"name": NAME_FIELD, "value": VALUE, "description": DESCRIPTION}, required=("name", "value"))
WHOLE = Body({"value": VALUE, "description": DESCRIPTION}, required=("value",))
PART = Body({"value": VALUE, "description": DESCRIPTION})

EXAMPLE = OpenApiExample(
    "A variable",
    response_only=True,
    value={
        "name": "base_url",
        "value": "https://shop.example",
        "description": "Where the shop's API is",
        "revision": 3,
        "updated_by": "ada@example.com",
        "created_at": "2026-11-02T08:00:00Z",
        "updated_at": "2026-11-20T16:30:00Z",
    },
)


class VariableShape(serializers.Serializer[Any]):
    """A variable."""

    name = serializers.CharField()
    value = serializers.JSONField(allow_null=True)
    description = serializers.CharField()
    revision = serializers.IntegerField(help_text="How often it changed; also the entity tag.")
    updated_by = serializers.CharField(allow_null=True, help_text="Who changed it last; null for a program.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class UserShape(serializers.Serializer[Any]):
    """A workflow that mentions it."""

    id = serializers.UUIDField()
    name = serializers.CharField()


class UsedVariableShape(VariableShape):
    """A variable, with the workflows that read it."""

    used_by = UserShape(many=True, help_text="Workflows whose newest version mentions it; at most 100.")


class Force(ClosedSerializer):
    """`?force=true`."""

    force = serializers.BooleanField(default=False, help_text="Delete it although workflows mention it.")


@extend_schema(tags=["Variables and secrets"])
class VariableViewSet(ScopedViewSet):
    """The variables of the workspace."""

    queryset = Variable.objects.all()
    serializer_class = VariableShape
    lookup_field = "name"
    page_ordering = ("name",)
    permissions = {
        "list": Permission.VARIABLES_READ,
        "retrieve": Permission.VARIABLES_READ,
        "create": Permission.VARIABLES_WRITE,
        "update": Permission.VARIABLES_WRITE,
        "partial_update": Permission.VARIABLES_WRITE,
        "destroy": Permission.VARIABLES_WRITE,
    }

    @extend_schema(summary="List variables")
    def list(self, request: Request) -> Response:
        """The variables of the workspace, by name."""
        rows = self.paginate_queryset(variables.find(self.caller)) or []
        return self.get_paginated_response([_shape(row) for row in rows])

    @extend_schema(summary="Create a variable", request=NEW.media, responses={201: VariableShape}, examples=[EXAMPLE])
    def create(self, request: Request) -> Response:
        """Make a variable; 409 when there is one of this name."""
        return _answer(variables.create(self.caller, **NEW.read(request)), status.HTTP_201_CREATED)

    @extend_schema(summary="Read a variable", parameters=[NAME], responses=UsedVariableShape)
    def retrieve(self, request: Request, name: str) -> Response:
        """One variable, and which workflows read it."""
        row = variables.get(self.caller, name)
        return _answer(row, used_by=users(row, mentioned.VARS))

    @extend_schema(
        summary="Set a variable",
        parameters=[NAME, IF_MATCH],
        request=WHOLE.media,
        responses={200: VariableShape, 201: VariableShape},
        examples=[EXAMPLE],
    )
    def update(self, request: Request, name: str) -> Response:
        """Make or replace a variable. Runs that begin from now on read it; those under way keep what they have."""
        row, is_new = variables.put(self.caller, name, check=matches(request), **WHOLE.read(request))
        return _answer(row, status.HTTP_201_CREATED if is_new else status.HTTP_200_OK)

    @extend_schema(
        summary="Change a variable",
        parameters=[NAME, IF_MATCH],
        request=PART.media,
        responses=VariableShape,
        examples=[EXAMPLE],
    )
    def partial_update(self, request: Request, name: str) -> Response:
        """Change only what is sent."""
        return _answer(variables.change(self.caller, name, check=matches(request), **PART.read(request)))

    @extend_schema(
        summary="Delete a variable",
        parameters=[NAME, IF_MATCH, Force],
        responses={204: OpenApiResponse(description="It is gone.")},
    )
    def destroy(self, request: Request, name: str) -> Response:
        """Delete a variable; 409 while workflows mention it, unless forced."""
        is_forced = read_parameters(Force, request).get("force", False)
        variables.delete(self.caller, name, check=matches(request), is_forced=is_forced)
        return Response(status=status.HTTP_204_NO_CONTENT)


def matches(request: Request) -> Any:
    """A check of If-Match for a row that the service has locked."""
    return lambda row: check_if_match(request, str(row.revision))


def users(row: Variable | Secret, sort: str) -> list[dict[str, Json]]:
    """The workflows that mention a variable or secret."""
    return [{"id": user.id, "name": user.name} for user in mentioned.used_by(row.workspace_id, sort, row.name)]


def _answer(row: Variable, code: int = status.HTTP_200_OK, **more: Json) -> Response:
    return Response({**_shape(row), **more}, code, headers={"ETag": entity_tag(str(row.revision))})


def _shape(row: Variable) -> dict[str, Json]:
    said = {name: getattr(row, name) for name in ("name", "value", "description", "revision")}
    by = row.updated_by.email if row.updated_by else None
    return {**said, "updated_by": by, "created_at": row.created_at, "updated_at": row.updated_at}
