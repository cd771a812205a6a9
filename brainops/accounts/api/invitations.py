"""/invitations: offer memberships, and answer an offer with the token from its link."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from brainops.accounts.api.scope import ScopedViewSet
from brainops.accounts.caller import Caller
from brainops.accounts.models import Invitation, Role
from brainops.accounts.policy import Permission
from brainops.accounts.services import invitations, joining
from brainops.core.api.answer import Answer
from brainops.core.api.idempotent import IDEMPOTENCY_KEY, done_once
from brainops.core.api.parameters import KnownParameters, read_parameters
from brainops.core.api.serializers import ClosedModelSerializer, ClosedSerializer, expect_nothing
from brainops.core.errors import PermissionDenied
from brainops.core.mail import Delivery


class InvitationSerializer(ClosedModelSerializer):
    """An offer of membership."""

    role = serializers.ChoiceField(choices=Role.choices, default=Role.VIEWER.value)
    message = serializers.CharField(max_length=500, required=False, allow_blank=True, help_text="Stands in the mail.")
    state = serializers.SerializerMethodField()
    invited_by = serializers.EmailField(source="invited_by.email", default=None, read_only=True)

    class Meta:
        model = Invitation
        fields = [
            *("id", "email", "role", "message", "state", "invited_by", "created_at", "sent_at", "expires_at"),
            *("accepted_at", "declined_at", "revoked_at"),
        ]
        read_only_fields = [name for name in fields if name not in ("email", "role", "message")]
        validators: list[Any] = []  # an open offer to the same address is replaced, not refused

    def get_state(self, row: Invitation) -> str:
        return invitations.state_of(row)


class SentInvitationSerializer(InvitationSerializer):
    """An offer just sent."""

    delivery = serializers.ChoiceField(choices=[word.value for word in Delivery], help_text="What became of the mail.")
    link = serializers.CharField(help_text="The address to accept it at; only without a mail server, else empty.")

    class Meta(InvitationSerializer.Meta):
        fields = [*InvitationSerializer.Meta.fields, "delivery", "link"]


class InvitationFilters(ClosedSerializer):
    """The query parameters of the list."""

    state = serializers.ChoiceField(choices=invitations.STATES, required=False)
    search = serializers.CharField(required=False, max_length=200, help_text="In the address.")


class TokenSerializer(ClosedSerializer):
    """The proof: what stands behind the last slash of the link."""

    token = serializers.CharField(max_length=100)


class AcceptanceSerializer(TokenSerializer):
    """The proof, and for an address without an account what the new one needs."""

    username = serializers.CharField(max_length=150, required=False, allow_blank=True)
    name = serializers.CharField(max_length=150, required=False, allow_blank=True)
    password = serializers.CharField(max_length=4096, required=False, trim_whitespace=False, write_only=True)


class JoinedSerializer(serializers.Serializer[Any]):
    """The new membership."""

    user_id = serializers.UUIDField()
    member_id = serializers.UUIDField(source="id")
    workspace_id = serializers.UUIDField()
    role = serializers.ChoiceField(choices=Role.choices)


NO_INVITATION = OpenApiResponse(description="The link does not lead to an open invitation.")


@extend_schema(tags=["People"])
class InvitationViewSet(ScopedViewSet):
    """The invitations to the workspace."""

    queryset = Invitation.objects.select_related("invited_by")
    serializer_class = InvitationSerializer
    permissions = dict.fromkeys(("list", "create", "destroy", "resend"), Permission.MEMBERS_WRITE)

    @extend_schema(summary="List invitations", parameters=[InvitationFilters])
    def list(self, request: Request) -> Response:
        """The invitations to the workspace, newest first."""
        rows = invitations.find(self.caller, **read_parameters(InvitationFilters, request))
        page = self.paginate_queryset(rows) or []
        return self.get_paginated_response(InvitationSerializer(page, many=True).data)

    @extend_schema(
        summary="Invite somebody",
        parameters=[IDEMPOTENCY_KEY],
        responses={201: SentInvitationSerializer},
        examples=[
            OpenApiExample("A builder", {"email": "grace@example.com", "role": "builder"}, request_only=True),
        ],
    )
    def create(self, request: Request) -> Response:
        """Offer a membership by mail. An open offer to the same address is replaced.

        A repeated answer has no link, were there one.
        """
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        wanted = given.validated_data
        shown_once: dict[str, Any] = {}

        def work() -> Answer:
            sent = invitations.invite(self.caller, **{**wanted, "role": Role(wanted["role"])})
            shown_once["link"] = sent.link
            return Answer(status.HTTP_201_CREATED, {**_shown(sent), "link": ""})

        return done_once(request, self.caller, work, shown_once=shown_once)

    @extend_schema(summary="Revoke an invitation", responses={204: None})
    def destroy(self, request: Request, id: UUID) -> Response:
        """End an offer; its link is unknown from then on. It stays in the list."""
        invitations.revoke(self.caller, id)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(summary="Send an invitation again", request=None, responses={200: SentInvitationSerializer})
    def resend(self, request: Request, id: UUID) -> Response:
        """Send a new link with a new term; the old link ends."""
        expect_nothing(request)
        return Response(_shown(invitations.resend(self.caller, id)))


class AcceptView(KnownParameters):
    """Accept an invitation. Open to everybody: the token is the proof."""

    permission_classes = ()

    @extend_schema(
        summary="Accept an invitation",
        tags=["People"],
        request=AcceptanceSerializer,
        responses={200: JoinedSerializer, 404: NO_INVITATION},
        examples=[
            OpenApiExample(
                "Somebody new",
                {"token": "kXw…", "username": "grace", "password": "a long passphrase of one's own"},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Accept, logged in (access token) as the invited address, or with a password for a new account."""
        given = AcceptanceSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        wanted = dict(given.validated_data)
        token, person_id = wanted.pop("token"), _person(request)
        newcomer = joining.Newcomer(**wanted) if person_id is None and "password" in wanted else None
        return Response(JoinedSerializer(joining.accept(token, person_id=person_id, newcomer=newcomer)).data)


class DeclineView(KnownParameters):
    """Decline an invitation. Open to everybody: the token is the proof."""

    permission_classes = ()
    authentication_classes = ()

    @extend_schema(
        summary="Decline an invitation",
        tags=["People"],
        request=TokenSerializer,
        responses={204: None, 404: NO_INVITATION},
    )
    def post(self, request: Request) -> Response:
        """End an offer by the invited person."""
        given = TokenSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        joining.decline(given.validated_data["token"])
        return Response(status=status.HTTP_204_NO_CONTENT)


def _person(request: Request) -> UUID | None:
    """Who is logged in; a program's key joins nothing."""
    caller = request.auth
    if not isinstance(caller, Caller):
        return None
    if caller.via == "api_key":
        raise PermissionDenied("An API key belongs to one workspace and joins no other. Log in.")
    return caller.user_id


def _shown(sent: invitations.Sent) -> dict[str, Any]:
    return {**InvitationSerializer(sent.row).data, "delivery": sent.delivery.value, "link": sent.link}
