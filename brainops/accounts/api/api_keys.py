"""/api-keys: list, make, change, rotate and revoke keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from brainops.accounts import policy
from brainops.accounts.api.scope import ScopedViewSet
from brainops.accounts.models import ApiKey, Role
from brainops.accounts.policy import Permission
from brainops.accounts.services import api_key_changes, api_key_reading, api_keys, networks
from brainops.core.api.answer import Answer
from brainops.core.api.idempotent import IDEMPOTENCY_KEY, done_once
from brainops.core.api.parameters import read_parameters
from brainops.core.api.public import ANY_CALLER
from brainops.core.api.serializers import ClosedModelSerializer, ClosedSerializer


class ApiKeySerializer(ClosedModelSerializer):
    """A key, without the key."""

    user = serializers.CharField(source="user.email", read_only=True)
    role = serializers.ChoiceField(choices=Role.choices, default=Role.VIEWER)
    scopes = serializers.ListField(
        child=serializers.CharField(max_length=64),
        default=lambda: [policy.ALL_SCOPES],
        max_length=100,
        allow_empty=False,
        help_text="What the key may be used for, within its role: `*`, `runs:*`, `runs:execute`, …",
    )
    networks = serializers.ListField(
        child=serializers.CharField(max_length=49),
        default=list,
        max_length=networks.MOST,
        help_text="Where it may be used from: `203.0.113.0/24`, `2001:db8::/32`, …; empty: from anywhere.",
    )
    prefix = serializers.SerializerMethodField(help_text="How the key begins; enough to recognise it.")
    state = serializers.SerializerMethodField(help_text="active, expired or revoked.")
    warning = serializers.SerializerMethodField(help_text="What to do about an end within two weeks; else null.")

    class Meta:
        model = ApiKey
        fields = [
            *("id", "name", "prefix", "user", "role", "scopes", "networks", "state", "warning"),
            *("created_at", "expires_at", "revoked_at", "last_used_at", "replaced_by"),
        ]
        read_only_fields = ["id", "created_at", "revoked_at", "last_used_at", "replaced_by"]

    def get_prefix(self, key: ApiKey) -> str:
        return f"{api_keys.MARK}{key.prefix}"

    def get_state(self, key: ApiKey) -> str:
        return api_key_changes.state_of(key)

    def get_warning(self, key: ApiKey) -> str | None:
        return api_key_changes.warning_of(key)


class NewApiKeySerializer(ApiKeySerializer):
    """A key just made, with the key: it is shown this once."""

    key = serializers.CharField(read_only=True)

    class Meta(ApiKeySerializer.Meta):
        fields = [*ApiKeySerializer.Meta.fields, "key"]


class ApiKeyChangeSerializer(ClosedSerializer):
    """What can be changed of a key. What it may do cannot: make another."""

    name = serializers.CharField(max_length=100, required=False)
    networks = serializers.ListField(
        child=serializers.CharField(max_length=49), required=False, max_length=networks.MOST
    )
    expires_at = serializers.DateTimeField(required=False, allow_null=True)


class RotationSerializer(ClosedSerializer):
    """How long the old key stays good beside the new one."""

    overlap_seconds = serializers.IntegerField(
        default=0, min_value=0, max_value=api_key_changes.LONGEST_OVERLAP_SECONDS
    )


class ApiKeyFilters(ClosedSerializer):
    """The query parameters of the list."""

    state = serializers.ChoiceField(choices=api_key_reading.STATES, required=False)
    user = serializers.UUIDField(required=False, help_text="Id of the user it acts as.")
    search = serializers.CharField(required=False, max_length=200, help_text="In the name, or how the key begins.")


@extend_schema(tags=["API keys"])
class ApiKeyViewSet(ScopedViewSet):
    """The keys a caller may look at: one's own, for admins all of the workspace. A key needs the scope `keys:…`."""

    queryset = ApiKey.objects.select_related("user")
    serializer_class = ApiKeySerializer
    permissions = {  # one's own need no role: the service shows no others to who is no admin
        "list": ANY_CALLER,
        "retrieve": ANY_CALLER,
        "partial_update": ANY_CALLER,
        "rotate": ANY_CALLER,
        "destroy": ANY_CALLER,
        "create": Permission.KEYS_WRITE,
    }

    @extend_schema(summary="List API keys", parameters=[ApiKeyFilters])
    def list(self, request: Request) -> Response:
        """One's own keys, for admins all of the workspace; newest first."""
        rows = api_key_reading.find(self.caller, **read_parameters(ApiKeyFilters, request))
        page = self.paginate_queryset(rows) or []
        return self.get_paginated_response(ApiKeySerializer(page, many=True).data)

    @extend_schema(summary="Read an API key")
    def retrieve(self, request: Request, id: UUID) -> Response:
        """One key, without the key."""
        return Response(ApiKeySerializer(api_key_reading.get_visible(self.caller, id)).data)

    @extend_schema(
        summary="Make an API key",
        request=ApiKeySerializer,
        responses={201: NewApiKeySerializer},
        parameters=[IDEMPOTENCY_KEY],
        examples=[
            OpenApiExample(
                "A shop's backend",
                {"name": "shop", "role": "operator", "scopes": ["runs:*"], "networks": ["203.0.113.0/24"]},
                request_only=True,
            )
        ],
    )
    def create(self, request: Request) -> Response:
        """Make a key for yourself. Its text is in this answer and nowhere else, not even in a repeated one."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        wanted: dict[str, Any] = given.validated_data
        return self._made_once(lambda: api_keys.create(self.caller, **{**wanted, "role": Role(wanted["role"])}))

    @extend_schema(
        summary="Change an API key",
        request=ApiKeyChangeSerializer,
        responses={200: ApiKeySerializer},
        examples=[OpenApiExample("From one network", {"networks": ["203.0.113.0/24"]}, request_only=True)],
    )
    def partial_update(self, request: Request, id: UUID) -> Response:
        """Change name, networks or end of one's own key; it counts from the next request on."""
        given = ApiKeyChangeSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        return Response(ApiKeySerializer(api_key_changes.change(self.caller, id, given.validated_data)).data)

    @extend_schema(
        summary="Rotate an API key",
        request=RotationSerializer,
        responses={201: NewApiKeySerializer},
        parameters=[IDEMPOTENCY_KEY],
        examples=[OpenApiExample("A day to change over", {"overlap_seconds": 86400}, request_only=True)],
    )
    def rotate(self, request: Request, id: UUID) -> Response:
        """Make a new key with the same rights in place of one's own; the old one ends after the overlap."""
        given = RotationSerializer(data=request.data or {})
        given.is_valid(raise_exception=True)
        return self._made_once(lambda: api_key_changes.rotate(self.caller, id, **given.validated_data))

    @extend_schema(summary="Revoke an API key", responses={204: None})
    def destroy(self, request: Request, id: UUID) -> Response:
        """End a key, for admins also somebody else's; it is refused from the next request on. It stays in the list."""
        api_keys.revoke(self.caller, id)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _made_once(self, make: Callable[[], api_keys.NewKey]) -> Response:
        shown_once: dict[str, Any] = {}

        def work() -> Answer:
            new = make()
            shown_once["key"] = new.text
            return Answer(status.HTTP_201_CREATED, dict(ApiKeySerializer(new.row).data))

        return done_once(self.request, self.caller, work, shown_once=shown_once)
