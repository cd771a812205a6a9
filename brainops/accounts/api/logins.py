"""POST /auth/token, /auth/token/mfa, /auth/token/refresh, /auth/logout: tokens for people's programs."""

from __future__ import annotations

from dataclasses import asdict

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from brainops.accounts.api.scope import CallerView
from brainops.accounts.services import sessions, sign_in
from brainops.core.api.parameters import KnownParameters
from brainops.core.api.public import ANY_CALLER
from brainops.core.api.serializers import ClosedSerializer, expect_nothing
from brainops.core.errors import Conflict


class Credentials(ClosedSerializer):
    """What a person logs in with."""

    username = serializers.CharField(max_length=254, help_text="E-mail address or user name.")
    password = serializers.CharField(max_length=4096, trim_whitespace=False, write_only=True)


class RefreshToken(ClosedSerializer):
    """A refresh token; it can be used once."""

    refresh = serializers.CharField(max_length=4096)


class TicketAndCode(ClosedSerializer):
    """The ticket of a login whose password was right, and the code."""

    ticket = serializers.CharField(max_length=100)
    code = serializers.CharField(max_length=32)


class Tokens(ClosedSerializer):
    """A pair of tokens. Send `access` as `Authorization: Bearer …`."""

    access = serializers.CharField()
    refresh = serializers.CharField()
    access_expires_in = serializers.IntegerField(help_text="Seconds.")
    refresh_expires_in = serializers.IntegerField(help_text="Seconds.")


def client_of(request: Request) -> str:
    """What the caller says it is, for the list of logins."""
    return str(request.META.get("HTTP_USER_AGENT", ""))


class LoginView(KnownParameters):
    """Log in."""

    permission_classes = ()
    authentication_classes = ()

    @extend_schema(
        summary="Log in",
        tags=["Logins"],
        request=Credentials,
        responses={200: Tokens},
        examples=[OpenApiExample("By address", {"username": "ada@example.com", "password": "…"}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Exchange a name and a password for tokens. Attempts are limited: 429 says when to come back.

        With a second factor the answer is 401 `mfa_required` and holds a `ticket` for `/auth/token/mfa`.
        """
        given = Credentials(data=request.data)
        given.is_valid(raise_exception=True)
        name, password = given.validated_data["username"], given.validated_data["password"]
        return Response(asdict(sign_in.with_password(name, password, client=client_of(request))))


class SecondFactorView(KnownParameters):
    """Log in, second part."""

    permission_classes = ()
    authentication_classes = ()

    @extend_schema(
        summary="Log in with a code",
        tags=["Logins"],
        request=TicketAndCode,
        responses={200: Tokens},
        examples=[
            OpenApiExample(
                "A code of the app",
                {"ticket": "fV0c9sXw2mT4kQ7bN1yZ8uR3pL6aJ5hG0dE2iO4wYxK", "code": "492039"},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Exchange the ticket of a login and a code of the authenticator app, or a recovery code, for tokens."""
        given = TicketAndCode(data=request.data)
        given.is_valid(raise_exception=True)
        ticket, code = given.validated_data["ticket"], given.validated_data["code"]
        return Response(asdict(sign_in.with_code(ticket, code, client=client_of(request))))


class RefreshView(KnownParameters):
    """Go on with a login."""

    permission_classes = ()
    authentication_classes = ()

    @extend_schema(summary="Refresh a login", tags=["Logins"], request=RefreshToken, responses={200: Tokens})
    def post(self, request: Request) -> Response:
        """Exchange a refresh token for a new pair. Using one twice ends the login."""
        given = RefreshToken(data=request.data)
        given.is_valid(raise_exception=True)
        return Response(asdict(sessions.refresh(given.validated_data["refresh"])))


_NO_LOGIN = OpenApiResponse(description="An API key has no login to end.")


class LogoutView(CallerView):
    """Log out."""

    permissions = {"post": ANY_CALLER}

    @extend_schema(summary="Log out", tags=["Logins"], request=None, responses={204: None, 409: _NO_LOGIN})
    def post(self, request: Request) -> Response:
        """End the login of the access token that is sent; all its tokens end at once."""
        expect_nothing(request)
        if self.caller.via != "token" or self.caller.credential_id is None:
            raise Conflict("An API key has no login to end. Revoke the key instead.")
        sessions.end_session(self.caller.credential_id)
        return Response(status=status.HTTP_204_NO_CONTENT)
