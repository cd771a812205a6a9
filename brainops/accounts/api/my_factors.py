"""/me/mfa: the second factor of the caller's logins."""

from __future__ import annotations

from dataclasses import asdict

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from brainops.accounts.api.own import own_session, own_user
from brainops.accounts.api.scope import CallerView
from brainops.accounts.services import login, second_factors, sessions
from brainops.core.api.public import ANY_CALLER
from brainops.core.api.serializers import ClosedSerializer

_CODES = ["04319387", "75520116", "93304417"]
_IS_ON = OpenApiResponse(description="mfa_is_on: an app is set up already.")
_IS_OFF = OpenApiResponse(description="mfa_is_off: there is nothing to change.")
_CODE = OpenApiExample("A code of the app", {"code": "492039"}, request_only=True)


class FactorsInfo(ClosedSerializer):
    """What is set up."""

    is_on = serializers.BooleanField(help_text="True: a login asks for a code.")
    totp_since = serializers.DateTimeField(allow_null=True)
    totp_used_at = serializers.DateTimeField(allow_null=True)
    recovery_codes_left = serializers.IntegerField()
    security_keys = serializers.IntegerField(help_text="They are added in the admin and count for its login.")


class OwnPassword(ClosedSerializer):
    """The password once more; empty for somebody who came by single sign-on and has none."""

    password = serializers.CharField(max_length=4096, trim_whitespace=False, write_only=True, allow_blank=True)


class EnrolmentInfo(ClosedSerializer):
    """A secret for an authenticator app; it counts once its first code was shown."""

    ticket = serializers.CharField(help_text="Send it with the first code, within 15 minutes.")
    secret = serializers.CharField(help_text="Base32, for typing into the app.")
    url = serializers.CharField(help_text="The otpauth:// address that a QR code holds.")


class FirstCode(ClosedSerializer):
    """The ticket of the enrolment and the first code of the app."""

    ticket = serializers.CharField(max_length=100)
    code = serializers.CharField(max_length=32)


class Code(ClosedSerializer):
    """A code of the app, or a recovery code."""

    code = serializers.CharField(max_length=32)


class RecoveryCodeList(ClosedSerializer):
    """Codes for the day the phone is lost. Each works once; they are shown this once."""

    recovery_codes = serializers.ListField(child=serializers.CharField())


class MyFactorsView(CallerView):
    """The second factor."""

    permissions = {"get": ANY_CALLER, "post": ANY_CALLER}

    @extend_schema(summary="My second factor", tags=["Logins"], responses={200: FactorsInfo})
    def get(self, request: Request) -> Response:
        """Whether a login asks for a code, and how many recovery codes are left."""
        found = second_factors.factors_of(own_user(self.caller))
        return Response(FactorsInfo({**asdict(found), "is_on": found.is_on}).data)

    @extend_schema(
        summary="Begin a second factor",
        tags=["Logins"],
        request=OwnPassword,
        responses={201: EnrolmentInfo, 409: _IS_ON},
        examples=[OpenApiExample("Password", {"password": "…"}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Make a secret for an authenticator app. Asks for the password: a borrowed login sets nothing up."""
        given = OwnPassword(data=request.data)
        given.is_valid(raise_exception=True)
        session = own_session(self.caller)
        login.require_presence(session.user, given.validated_data["password"], session.amr)
        return Response(asdict(second_factors.begin(session.user)), status=status.HTTP_201_CREATED)


class RemoveFactorsView(CallerView):
    """The end of the second factor."""

    permissions = {"post": ANY_CALLER}

    @extend_schema(
        summary="Remove my second factor",
        tags=["Logins"],
        request=Code,
        responses={204: None, 409: _IS_OFF},
        examples=[_CODE],
    )
    def post(self, request: Request) -> Response:
        """Remove the authenticator app, the security keys and the recovery codes. Asks for a code."""
        given = Code(data=request.data)
        given.is_valid(raise_exception=True)
        second_factors.turn_off(own_user(self.caller), given.validated_data["code"])
        return Response(status=status.HTTP_204_NO_CONTENT)


class ConfirmFactorView(CallerView):
    """The first code."""

    permissions = {"post": ANY_CALLER}

    @extend_schema(
        summary="Turn my second factor on",
        tags=["Logins"],
        request=FirstCode,
        responses={200: RecoveryCodeList, 409: _IS_ON},
        examples=[OpenApiExample("Codes", {"recovery_codes": _CODES}, response_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Show the app's first code. From now on a login asks for one; this login counts as having shown it."""
        given = FirstCode(data=request.data)
        given.is_valid(raise_exception=True)
        session = own_session(self.caller)
        codes = second_factors.confirm(session.user, **given.validated_data)
        sessions.note_second_factor(session.id, "otp")
        return Response({"recovery_codes": codes})


class RecoveryCodesView(CallerView):
    """The recovery codes."""

    permissions = {"post": ANY_CALLER}

    @extend_schema(
        summary="Make new recovery codes",
        tags=["Logins"],
        request=Code,
        responses={200: RecoveryCodeList, 409: _IS_OFF},
        examples=[_CODE, OpenApiExample("Codes", {"recovery_codes": _CODES}, response_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Replace the recovery codes; the old ones end. Asks for a code."""
        given = Code(data=request.data)
        given.is_valid(raise_exception=True)
        codes = second_factors.renew_codes(own_user(self.caller), given.validated_data["code"])
        return Response({"recovery_codes": codes})
