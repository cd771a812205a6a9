"""POST /me/password, /auth/password/reset and /auth/password/reset/confirm."""

from __future__ import annotations

from dataclasses import asdict

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from brainops.accounts.api.logins import Tokens, client_of
from brainops.accounts.api.own import own_session
from brainops.accounts.api.scope import CallerView
from brainops.accounts.services import passwords, reset_mails
from brainops.core.api.parameters import KnownParameters
from brainops.core.api.public import ANY_CALLER
from brainops.core.api.serializers import ClosedSerializer


class PasswordChange(ClosedSerializer):
    """The password so far and the new one."""

    old_password = serializers.CharField(max_length=4096, trim_whitespace=False, write_only=True)
    new_password = serializers.CharField(max_length=4096, trim_whitespace=False, write_only=True)


class ResetRequestBody(ClosedSerializer):
    """Who wants a new password."""

    email = serializers.EmailField(max_length=254)


class NewPassword(ClosedSerializer):
    """The token of the mail's link and the new password."""

    token = serializers.CharField(max_length=100)
    password = serializers.CharField(max_length=4096, trim_whitespace=False, write_only=True)


class MyPasswordView(CallerView):
    """The caller's password."""

    permissions = {"post": ANY_CALLER}

    @extend_schema(
        summary="Change my password",
        tags=["Logins"],
        request=PasswordChange,
        responses={200: Tokens},
        examples=[
            OpenApiExample("Change", {"old_password": "…", "new_password": "a sentence nobody says"}, request_only=True)
        ],
    )
    def post(self, request: Request) -> Response:
        """Set a new password. Every login ends, also this one; the answer is a new pair for it."""
        given = PasswordChange(data=request.data)
        given.is_valid(raise_exception=True)
        session = own_session(self.caller)
        pair = passwords.change(
            session.user,
            old=given.validated_data["old_password"],
            new=given.validated_data["new_password"],
            amr=session.amr,
            client=client_of(request),
        )
        return Response(asdict(pair))


class ResetView(KnownParameters):
    """A forgotten password."""

    permission_classes = ()
    authentication_classes = ()

    @extend_schema(
        summary="Ask for a new password",
        tags=["Logins"],
        request=ResetRequestBody,
        responses={202: None, 409: OpenApiResponse(description="no_mail_server: none is configured here.")},
        examples=[OpenApiExample("Ada", {"email": "ada@example.com"}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Send a link to this address if it is a user's. The answer is the same when it is not."""
        given = ResetRequestBody(data=request.data)
        given.is_valid(raise_exception=True)
        reset_mails.request(given.validated_data["email"])
        return Response(status=status.HTTP_202_ACCEPTED)


class ResetConfirmView(KnownParameters):
    """A new password by the link of a mail."""

    permission_classes = ()
    authentication_classes = ()

    @extend_schema(
        summary="Set a new password by a link",
        tags=["Logins"],
        request=NewPassword,
        responses={204: None, 404: OpenApiResponse(description="link_invalid: used, replaced or too old.")},
        examples=[
            OpenApiExample(
                "By the mail's link",
                {"token": "fV0c9sXw2mT4kQ7bN1yZ8uR3pL6aJ5hG0dE2iO4wYxK", "password": "a sentence nobody says"},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Set a new password with the last part of the mail's link, which works once. Every login ends."""
        given = NewPassword(data=request.data)
        given.is_valid(raise_exception=True)
        passwords.reset(given.validated_data["token"], given.validated_data["password"])
        return Response(status=status.HTTP_204_NO_CONTENT)
