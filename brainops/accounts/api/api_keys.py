"""/api-keys: list, make and revoke the keys of a workspace."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from brainops.accounts import policy
from brainops.accounts.api.scope import ScopedViewSet
from brainops.accounts.models import ApiKey, Role
from brainops.accounts.policy import Permission
from brainops.accounts.services import api_keys
from brainops.core.api.serializers import ClosedModelSerializer


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
    prefix = serializers.SerializerMethodField(help_text="How the key begins; enough to recognise it.")

    class Meta:
        model = ApiKey
        fields = [
            *("id", "name", "prefix", "user", "role", "scopes"),
            *("created_at", "expires_at", "revoked_at", "last_used_at"),
        ]
        read_only_fields = ["id", "created_at", "revoked_at", "last_used_at"]

    def get_prefix(self, key: ApiKey) -> str:
        return f"{api_keys.MARK}{key.prefix}"


class NewApiKeySerializer(ApiKeySerializer):
    """A key just made, with the key: it is shown this once."""

    key = serializers.CharField(read_only=True)

    class Meta(ApiKeySerializer.Meta):
        fields = [*ApiKeySerializer.Meta.fields, "key"]


@extend_schema(tags=["Accounts"])
@extend_schema_view(list=extend_schema(summary="List API keys"))
class ApiKeyViewSet(mixins.ListModelMixin, ScopedViewSet):
    """The keys of the workspace."""

    queryset = ApiKey.objects.select_related("user")
    serializer_class = ApiKeySerializer
    permissions = {
        "list": Permission.KEYS_READ,
        "create": Permission.KEYS_WRITE,
        "destroy": Permission.KEYS_WRITE,
    }

    @extend_schema(summary="Make an API key", request=ApiKeySerializer, responses={201: NewApiKeySerializer})
    def create(self, request: Request) -> Response:
        """Make a key for yourself. Its text is in this answer and nowhere else."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        wanted: dict[str, Any] = given.validated_data
        new = api_keys.create(self.caller, **{**wanted, "role": Role(wanted["role"])})
        body = {**self.get_serializer(new.row).data, "key": new.text}
        return Response(body, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Revoke an API key", responses={204: None})
    def destroy(self, request: Request, id: Any) -> Response:
        """End a key; it is refused from the next request on. It stays in the list."""
        api_keys.revoke(self.caller, id)
        return Response(status=status.HTTP_204_NO_CONTENT)
