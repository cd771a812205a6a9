"""/me/sessions: where one is logged in, and the end of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from brainops.accounts.api.own import own_session, own_user
from brainops.accounts.api.scope import CallerMixin
from brainops.accounts.models import LoginSession
from brainops.accounts.services import sessions
from brainops.core.api.pagination import NEWEST_FIRST
from brainops.core.api.public import ANY_CALLER
from brainops.core.api.serializers import ClosedModelSerializer, ClosedSerializer, expect_nothing
from brainops.core.errors import NotFound

_EXAMPLE = {
    "id": "0d2a6f2e-6f0f-4d39-9c53-5a0c2b2f4f10",
    "created_at": "2026-11-23T08:12:04Z",
    "refreshed_at": "2026-11-23T09:41:30Z",
    "expires_at": "2026-12-07T09:41:30Z",
    "ip": "203.0.113.7",
    "client": "curl/8.14.1",
    "second_factor": True,
    "is_current": True,
}


class SessionSerializer(ClosedModelSerializer):
    """One login."""

    second_factor = serializers.SerializerMethodField(help_text="True when a second factor was shown.")
    is_current = serializers.SerializerMethodField(help_text="True for the login of the token that is sent.")

    class Meta:
        model = LoginSession
        fields = ["id", "created_at", "refreshed_at", "expires_at", "ip", "client", "second_factor", "is_current"]

    def get_second_factor(self, session: LoginSession) -> bool:
        return "mfa" in session.amr

    def get_is_current(self, session: LoginSession) -> bool:
        return bool(session.id == self.context["request"].auth.credential_id)


class Ended(ClosedSerializer):
    """How many logins were ended."""

    ended = serializers.IntegerField()


@extend_schema(tags=["Logins"])
@extend_schema_view(
    list=extend_schema(summary="List my logins", examples=[OpenApiExample("A laptop", _EXAMPLE, response_only=True)])
)
class MySessionViewSet(mixins.ListModelMixin, CallerMixin, GenericViewSet[Any]):
    """The logins of the caller."""

    queryset = LoginSession.objects.none()
    serializer_class = SessionSerializer
    lookup_field = "id"
    page_ordering = NEWEST_FIRST
    permissions = {"list": ANY_CALLER, "destroy": ANY_CALLER, "revoke_all": ANY_CALLER}

    def get_queryset(self) -> Any:
        """The caller's own, as far as they live."""
        if getattr(self, "swagger_fake_view", False):
            return super().get_queryset()
        return sessions.living(own_user(self.caller).id)

    @extend_schema(summary="End one of my logins", responses={204: None})
    def destroy(self, request: Request, id: UUID) -> Response:
        """End a login; its tokens are refused from the next request on."""
        session = self.get_queryset().filter(id=id).first()
        if session is None:
            raise NotFound
        sessions.end_session(session.id, reason="ended by its user")
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="End all my logins",
        request=None,
        responses={200: Ended},
        examples=[OpenApiExample("Three were open", {"ended": 3}, response_only=True)],
    )
    def revoke_all(self, request: Request) -> Response:
        """End every login, this one too; all tokens are refused from the next request on. API keys stay."""
        expect_nothing(request)
        user = own_session(self.caller).user
        return Response({"ended": sessions.end_all(user, reason="all ended by their user")})
