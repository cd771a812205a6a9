"""/auth/oidc: sign in through an identity provider, without a cookie."""

from __future__ import annotations

from dataclasses import asdict

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from brainops.accounts.api.logins import Tokens, client_of
from brainops.accounts.services import sign_in, sign_on
from brainops.core.api.parameters import KnownParameters
from brainops.core.api.serializers import ClosedSerializer

_TICKET = "fV0c9sXw2mT4kQ7bN1yZ8uR3pL6aJ5hG0dE2iO4wYxK"
_STATE = "yH3rT9kWq1Zb5Xn7Lm0Pv2Jc8Df4Gs6Qa-Eu_Io1BwY"


class ProviderInfo(ClosedSerializer):
    """One identity provider."""

    id = serializers.CharField()
    name = serializers.CharField(help_text="For a button.")


class ProviderList(ClosedSerializer):
    """The identity providers of this installation."""

    results = ProviderInfo(many=True)


class VisitInfo(ClosedSerializer):
    """A visit to the provider that has begun. Keep `ticket` to yourself: it makes the answer yours."""

    url = serializers.CharField(help_text="Open it in the person's browser.")
    state = serializers.CharField()
    ticket = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="Seconds.")


class ProviderAnswer(ClosedSerializer):
    """What the provider's answer held: the page at the end of the visit shows it."""

    ticket = serializers.CharField(max_length=100)
    state = serializers.CharField(max_length=100)
    code = serializers.CharField(max_length=4096)
    iss = serializers.CharField(max_length=255, required=False, help_text="When the page shows one (RFC 9207).")


class ProvidersView(KnownParameters):
    """The providers."""

    permission_classes = ()
    authentication_classes = ()

    @extend_schema(
        summary="List identity providers",
        tags=["Logins"],
        responses={200: ProviderList},
        examples=[
            OpenApiExample("One", {"results": [{"id": "keycloak", "name": "Keycloak"}]}, response_only=True),
        ],
    )
    def get(self, request: Request) -> Response:
        """Name the identity providers, for a client's buttons."""
        return Response({"results": [ProviderInfo(provider).data for provider in sign_on.providers()]})


class StartView(KnownParameters):
    """The way to a provider."""

    permission_classes = ()
    authentication_classes = ()

    @extend_schema(
        summary="Begin a single sign-on",
        tags=["Logins"],
        request=None,
        responses={200: VisitInfo, 404: OpenApiResponse(description="There is no such provider.")},
        examples=[
            OpenApiExample(
                "A visit",
                {
                    "url": f"https://id.example.com/authorize?response_type=code&state={_STATE}",
                    "state": _STATE,
                    "ticket": _TICKET,
                    "expires_in": 600,
                },
                response_only=True,
            )
        ],
    )
    def post(self, request: Request, provider: str) -> Response:
        """Begin a visit: open `url` in a browser. Its last page shows what `/auth/oidc/token` wants."""
        visit = sign_on.start(sign_on.provider_named(provider), door="api")
        return Response({**asdict(visit), "expires_in": sign_on.VISIT_SECONDS})


class TokenView(KnownParameters):
    """The way back."""

    permission_classes = ()
    authentication_classes = ()

    @extend_schema(
        summary="Complete a single sign-on",
        tags=["Logins"],
        request=ProviderAnswer,
        responses={200: Tokens, 404: OpenApiResponse(description="The provider was taken out of the settings.")},
        examples=[
            OpenApiExample(
                "The provider's answer",
                {"ticket": _TICKET, "state": _STATE, "code": "SplxlOBeZQQYbYS6WxSbIA"},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Exchange the provider's answer for tokens, once. With a second factor set up here: 401 `mfa_required`."""
        given = ProviderAnswer(data=request.data)
        given.is_valid(raise_exception=True)
        values = given.validated_data
        user, amr = sign_on.complete(
            door="api", ticket=values["ticket"], state=values["state"], code=values["code"], issuer=values.get("iss")
        )
        return Response(asdict(sign_in.finish(user, amr=amr, client=client_of(request))))
