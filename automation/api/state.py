"""/state: what a workspace keeps between runs."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from automation.api.bodies import Body
from automation.api.parameters import IF_MATCH, read_parameters
from automation.models import StateValue
from automation.services import state
from brainops.accounts.api.scope import ScopedViewSet
from brainops.accounts.policy import Permission
from brainops.core.api.etag import check_if_match, entity_tag
from brainops.core.api.serializers import ClosedSerializer

Json = Any
KEY = OpenApiParameter("key", str, OpenApiParameter.PATH, description="The key; it may hold slashes inside.")
PUT = Body(
    {
        "value": {"description": "Any JSON value.", "examples": [{"last_id": 17}]},
        "expires_seconds": {
            "type": "number",
            "exclusiveMinimum": 0,
            "maximum": 366 * 86_400,
            "description": "After so many seconds the key holds nothing again. Without it the value stays.",
        },
        "if_version": {
            "type": "integer",
            "minimum": 0,
            "description": "Only if the key has this version; 0: only if it holds nothing. Otherwise 409.",
        },
    },
    required=("value",),
)


class ValueShape(serializers.Serializer[Any]):
    """What a key holds."""

    key = serializers.CharField()
    value = serializers.JSONField()
    version = serializers.IntegerField(help_text="How often it changed; also the entity tag.")
    expires_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class ValueFilters(ClosedSerializer):
    """The query parameters of the list."""

    prefix = serializers.CharField(required=False, max_length=200, help_text="Only keys that begin like this.")


@extend_schema(tags=["State"])
class StateViewSet(ScopedViewSet):
    """The key-value store of the workspace."""

    queryset = StateValue.objects.all()
    serializer_class = ValueShape
    lookup_field = "key"
    page_ordering = ("key",)
    permissions = {
        "list": Permission.STATE_READ,
        "retrieve": Permission.STATE_READ,
        "update": Permission.STATE_WRITE,
        "destroy": Permission.STATE_WRITE,
    }

    @extend_schema(summary="List kept values", parameters=[ValueFilters])
    def list(self, request: Request) -> Response:
        """The values of the workspace in the order of their keys."""
        rows = self.paginate_queryset(state.find(self.caller, **read_parameters(ValueFilters, request))) or []
        return self.get_paginated_response([_value(row) for row in rows])

    @extend_schema(summary="Read a kept value", parameters=[KEY], responses=ValueShape)
    def retrieve(self, request: Request, key: str) -> Response:
        """What a key holds; 404 when it holds nothing."""
        return _answer(state.get(self.caller, key))

    @extend_schema(
        summary="Keep a value",
        parameters=[KEY, IF_MATCH],
        request=PUT.media,
        responses={200: ValueShape, 201: ValueShape},
    )
    def update(self, request: Request, key: str) -> Response:
        """Set a key. Runs that read it from now on see the new value."""
        body = PUT.read(request)
        has_tag = "HTTP_IF_MATCH" in request.META
        row = state.put(
            self.caller, key, check=(lambda version: check_if_match(request, str(version))) if has_tag else None, **body
        )
        return _answer(row, status.HTTP_201_CREATED if row.version == 1 else status.HTTP_200_OK)

    @extend_schema(
        summary="Forget a value", parameters=[KEY], responses={204: OpenApiResponse(description="It is gone.")}
    )
    def destroy(self, request: Request, key: str) -> Response:
        """Delete a key with its value."""
        state.delete(self.caller, key)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _answer(row: StateValue, code: int = status.HTTP_200_OK) -> Response:
    return Response(_value(row), code, headers={"ETag": entity_tag(str(row.version))})


def _value(row: StateValue) -> dict[str, Json]:
    return {name: getattr(row, name) for name in ("key", "value", "version", "expires_at", "created_at", "updated_at")}
