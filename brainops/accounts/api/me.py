"""/me: who is calling, and for which workspace; change what one is called."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from brainops.accounts.api.members import PersonSerializer
from brainops.accounts.api.scope import CallerView
from brainops.accounts.models import Membership, Role
from brainops.accounts.policy import Permission
from brainops.accounts.services import profile
from brainops.core.api.public import ANY_CALLER
from brainops.core.api.serializers import ClosedSerializer


class MembershipInfo(ClosedSerializer):
    """One workspace of the caller."""

    member_id = serializers.UUIDField(source="id", help_text="For DELETE /members/{id}, to leave.")
    id = serializers.UUIDField(source="workspace.id")
    slug = serializers.SlugField(source="workspace.slug")
    name = serializers.CharField(source="workspace.name")
    role = serializers.ChoiceField(choices=Role.choices)


class Me(ClosedSerializer):
    """The caller."""

    user_id = serializers.UUIDField()
    user = PersonSerializer()
    name = serializers.CharField(source="label", help_text="As the audit log names the caller.")
    via = serializers.ChoiceField(["api_key", "token"])
    workspace_id = serializers.UUIDField(allow_null=True, help_text="The workspace this call is for.")
    role = serializers.ChoiceField(choices=Role.choices, allow_null=True)
    permissions = serializers.ListField(child=serializers.CharField(), help_text="What the caller may do there.")
    workspaces = MembershipInfo(many=True)


class ProfileSerializer(ClosedSerializer):
    """What a person may change of themselves."""

    name = serializers.CharField(max_length=150, required=False, allow_blank=True, help_text="As colleagues know one.")
    username = serializers.CharField(max_length=150, required=False)


class MeView(CallerView):
    """The caller."""

    permissions = {"get": ANY_CALLER, "patch": ANY_CALLER}

    @extend_schema(summary="Who am I", tags=["Accounts"], responses={200: Me})
    def get(self, request: Request) -> Response:
        """The caller, the workspace of this call, and what may be done there."""
        return Response(Me(self._body()).data)

    @extend_schema(
        summary="Change my name",
        tags=["Accounts"],
        request=ProfileSerializer,
        responses={200: Me},
        examples=[OpenApiExample("A name", {"name": "Ada Lovelace"}, request_only=True)],
    )
    def patch(self, request: Request) -> Response:
        """Change one's own name or user name; not with an API key."""
        given = ProfileSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        profile.change(self.caller, given.validated_data)
        return Response(Me(self._body()).data)

    def _body(self) -> dict[str, Any]:
        caller = self.caller
        memberships = Membership.objects.filter(user=caller.user_id).select_related("workspace")
        if caller.via == "api_key":  # a key knows of no other workspace
            memberships = memberships.filter(workspace=caller.workspace())
        has_workspace = caller.workspace_id is not None
        return {
            "user_id": caller.user_id,
            "user": profile.of(caller),
            "label": caller.label,
            "via": caller.via,
            "workspace_id": caller.workspace_id,
            "role": caller.role if has_workspace else None,
            "permissions": [p.value for p in Permission if caller.may(p)] if has_workspace else [],
            "workspaces": memberships.order_by("workspace__slug"),
        }
