"""GET /me: who is calling, and for which workspace."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from brainops.accounts.api.scope import CallerView
from brainops.accounts.models import Membership, Role
from brainops.accounts.policy import Permission
from brainops.core.api.public import ANY_CALLER
from brainops.core.api.serializers import ClosedSerializer


class MembershipInfo(ClosedSerializer):
    """One workspace of the caller."""

    id = serializers.UUIDField(source="workspace.id")
    slug = serializers.SlugField(source="workspace.slug")
    name = serializers.CharField(source="workspace.name")
    role = serializers.ChoiceField(choices=Role.choices)


class Me(ClosedSerializer):
    """The caller."""

    user_id = serializers.UUIDField()
    name = serializers.CharField(source="label", help_text="As the audit log names the caller.")
    via = serializers.ChoiceField(["api_key", "token"])
    workspace_id = serializers.UUIDField(allow_null=True, help_text="The workspace this call is for.")
    role = serializers.ChoiceField(choices=Role.choices, allow_null=True)
    permissions = serializers.ListField(child=serializers.CharField(), help_text="What the caller may do there.")
    workspaces = MembershipInfo(many=True)


class MeView(CallerView):
    """The caller."""

    permissions = {"get": ANY_CALLER}

    @extend_schema(summary="Who am I", tags=["Accounts"], responses={200: Me})
    def get(self, request: Request) -> Response:
        """The caller, the workspace of this call, and what may be done there."""
        caller = self.caller
        memberships = Membership.objects.filter(user=caller.user_id).select_related("workspace")
        if caller.via == "api_key":  # a key knows of no other workspace
            memberships = memberships.filter(workspace=caller.workspace())
        has_workspace = caller.workspace_id is not None
        body: dict[str, Any] = {
            "user_id": caller.user_id,
            "label": caller.label,
            "via": caller.via,
            "workspace_id": caller.workspace_id,
            "role": caller.role if has_workspace else None,
            "permissions": [p.value for p in Permission if caller.may(p)] if has_workspace else [],
            "workspaces": memberships.order_by("workspace__slug"),
        }
        return Response(Me(body).data)
