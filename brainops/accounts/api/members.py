"""/members: who is in the workspace, with which role; change it, remove, leave."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from brainops.accounts.api.scope import ScopedViewSet
from brainops.accounts.models import Membership, Role, User
from brainops.accounts.policy import Permission
from brainops.accounts.services import departures, members
from brainops.core.api.parameters import read_parameters
from brainops.core.api.serializers import ClosedModelSerializer, ClosedSerializer


class PersonSerializer(ClosedModelSerializer):
    """A person, as colleagues see them."""

    class Meta:
        model = User
        fields = ["id", "email", "username", "name", "is_active"]
        read_only_fields = fields


class MemberSerializer(ClosedModelSerializer):
    """A person's membership. `id` is the membership's; a person has one in each workspace."""

    user = PersonSerializer(read_only=True)
    role = serializers.ChoiceField(choices=Role.choices)

    class Meta:
        model = Membership
        fields = ["id", "user", "role", "created_at"]
        read_only_fields = ["id", "created_at"]


class MemberFilters(ClosedSerializer):
    """The query parameters of the list."""

    role = serializers.ChoiceField(choices=Role.choices, required=False)
    search = serializers.CharField(required=False, max_length=200, help_text="In address, user name and name.")


class LeavingParameters(ClosedSerializer):
    """The query parameters of a removal."""

    reassign_to = serializers.UUIDField(required=False, help_text="Id of the member who takes over what is owned.")
    dry_run = serializers.BooleanField(required=False, help_text="Only say what would happen.")


class Farewell(serializers.Serializer[Any]):
    """What became, or would become, of a leaving person's things: rows by kind."""

    dry_run = serializers.BooleanField()
    member = MemberSerializer()
    successor = PersonSerializer(help_text="Who takes over.")
    handed_over = serializers.DictField(child=serializers.IntegerField())
    ended = serializers.DictField(child=serializers.IntegerField())


@extend_schema(tags=["People"])
class MemberViewSet(ScopedViewSet):
    """The members of the workspace."""

    queryset = Membership.objects.select_related("user")
    serializer_class = MemberSerializer
    page_ordering = ("created_at", "id")
    permissions = {
        "list": Permission.MEMBERS_READ,
        "retrieve": Permission.MEMBERS_READ,
        "partial_update": Permission.MEMBERS_WRITE,
        "destroy": Permission.MEMBERS_READ,  # everybody may leave; removing others asks for members:write
    }

    @extend_schema(summary="List members", parameters=[MemberFilters])
    def list(self, request: Request) -> Response:
        """The members of the workspace, the longest there first."""
        rows = members.find(self.caller, **read_parameters(MemberFilters, request))
        page = self.paginate_queryset(rows) or []
        return self.get_paginated_response(MemberSerializer(page, many=True).data)

    @extend_schema(summary="Read a member")
    def retrieve(self, request: Request, id: UUID) -> Response:
        """One member."""
        return Response(MemberSerializer(members.get(self.caller, id)).data)

    @extend_schema(
        summary="Change a member's role",
        examples=[OpenApiExample("Make a builder", {"role": "builder"}, request_only=True)],
    )
    def partial_update(self, request: Request, id: UUID) -> Response:
        """Give a member another role. Nobody gives or touches a role above their own; the last Owner stays one."""
        given = MemberSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        member = members.change_role(self.caller, id, Role(given.validated_data["role"]))
        return Response(MemberSerializer(member).data)

    @extend_schema(summary="Remove a member, or leave", parameters=[LeavingParameters], responses={200: Farewell})
    def destroy(self, request: Request, id: UUID) -> Response:
        """Remove a member (`members:write`), or leave when it is oneself.

        Workflows, and open approvals that ask the person by name, go to `reassign_to` (`workflows:assign`), else to
        whoever removes, else to the first Owner. The person's API keys and open invitations end.
        """
        wanted = read_parameters(LeavingParameters, request)
        is_dry = wanted.pop("dry_run", False)
        verb = departures.what_goes_with if is_dry else departures.remove
        found = verb(self.caller, id, **wanted)
        return Response(
            {
                "dry_run": is_dry,
                "member": MemberSerializer(found.member).data,
                "successor": PersonSerializer(found.successor).data,
                "handed_over": found.handed_over,
                "ended": found.ended,
            }
        )
