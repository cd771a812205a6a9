"""/secrets: texts that steps send to services as `secrets.<name>`. No answer holds a value, or how long it is."""

from __future__ import annotations

from datetime import date
from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from automation.api.bodies import Body
from automation.api.parameters import IF_MATCH, read_parameters
from automation.api.variables import DESCRIPTION, NAME, NAME_FIELD, Force, UserShape, matches, users
from automation.models import Secret
from automation.services import mentioned, secrets
from brainops.accounts.api.scope import ScopedViewSet
from brainops.accounts.policy import Permission
from brainops.core.api.etag import entity_tag
from brainops.core.errors import InvalidInput, Problem

Json = Any
STAND_IN = "x" * secrets.SHORTEST  # checked in the place of a value, so that no refusal can repeat it
FIELDS = {
    "value": {
        "type": "string",
        "writeOnly": True,
        "minLength": secrets.SHORTEST,
        "maxLength": secrets.LONGEST,
        "description": "The secret. It is encrypted, and no answer holds it.",
        "examples": ["ghp_exampleexampleexample"],
    },
    "description": DESCRIPTION,
    "hosts": {
        "type": "array",
        "maxItems": secrets.MOST_HOSTS,
        "items": {"type": "string", "minLength": 1, "maxLength": 260},
        "default": [],
        "description": "The only hosts it is sent to, redirects included; none: any. `*.example.com` means all below.",
        "examples": [["api.github.com"]],
    },
    "expires_on": {
        "type": ["string", "null"],
        "format": "date",
        "description": "A note of the day on which the service stops taking it.",
    },
}
NEW = Body({"name": {**NAME_FIELD, "examples": ["github_token"]}, **FIELDS}, required=("name", "value"))
WHOLE = Body(FIELDS, required=("value",))
PART = Body(FIELDS)

EXAMPLE = OpenApiExample(
    "A secret",
    response_only=True,
    value={
        "name": "github_token",
        "description": "Of the robot account",
        "hosts": ["api.github.com"],
        "expires_on": "2027-01-31",
        "is_expired": False,
        "revision": 2,
        "value_set_at": "2026-11-02T08:00:00Z",
        "last_used_at": "2026-11-20T16:30:00Z",
        "last_used_by": {"id": "0190a1b2-5c6d-7e8f-9a0b-1c2d3e4f5a6b", "name": "Order to Slack"},
        "updated_by": "ada@example.com",
        "created_at": "2026-10-01T08:00:00Z",
        "updated_at": "2026-11-02T08:00:00Z",
    },
)


class SecretShape(serializers.Serializer[Any]):
    """A secret, without its value."""

    name = serializers.CharField()
    description = serializers.CharField()
    hosts = serializers.ListField(child=serializers.CharField())
    expires_on = serializers.DateField(allow_null=True)
    is_expired = serializers.BooleanField(
        help_text="That day is over. It is sent all the same: only the service knows."
    )
    revision = serializers.IntegerField(help_text="How often it changed; also the entity tag.")
    value_set_at = serializers.DateTimeField(help_text="When its value was set last.")
    last_used_at = serializers.DateTimeField(allow_null=True, help_text="To the minute.")
    last_used_by = UserShape(allow_null=True, help_text="The workflow that sent it then.")
    updated_by = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class UsedSecretShape(SecretShape):
    """A secret, with the workflows that send it."""

    used_by = UserShape(many=True, help_text="Workflows whose newest version mentions it; at most 100.")


@extend_schema(tags=["Variables and secrets"])
class SecretViewSet(ScopedViewSet):
    """The secrets of the workspace."""

    queryset = Secret.objects.defer("value")
    serializer_class = SecretShape
    lookup_field = "name"
    page_ordering = ("name",)
    permissions = {
        "list": Permission.SECRETS_READ,
        "retrieve": Permission.SECRETS_READ,
        "create": Permission.SECRETS_WRITE,
        "update": Permission.SECRETS_WRITE,
        "partial_update": Permission.SECRETS_WRITE,
        "destroy": Permission.SECRETS_WRITE,
    }

    @extend_schema(summary="List secrets")
    def list(self, request: Request) -> Response:
        """The secrets of the workspace by name, without their values."""
        rows = self.paginate_queryset(secrets.find(self.caller)) or []
        return self.get_paginated_response([_shape(row) for row in rows])

    @extend_schema(summary="Create a secret", request=NEW.media, responses={201: SecretShape}, examples=[EXAMPLE])
    def create(self, request: Request) -> Response:
        """Keep a secret; 409 when there is one of this name."""
        return _answer(secrets.create(self.caller, **read(NEW, request)), status.HTTP_201_CREATED)

    @extend_schema(summary="Read about a secret", parameters=[NAME], responses=UsedSecretShape)
    def retrieve(self, request: Request, name: str) -> Response:
        """What is known of a secret, and which workflows send it. Its value is not told."""
        row = secrets.get(self.caller, name)
        return _answer(row, used_by=users(row, mentioned.SECRETS))

    @extend_schema(
        summary="Set a secret",
        parameters=[NAME, IF_MATCH],
        request=WHOLE.media,
        responses={200: SecretShape, 201: SecretShape},
        examples=[EXAMPLE],
    )
    def update(self, request: Request, name: str) -> Response:
        """Make or replace a secret. The next step of any run sends the new value."""
        row, is_new = secrets.put(self.caller, name, check=matches(request), **read(WHOLE, request))
        return _answer(row, status.HTTP_201_CREATED if is_new else status.HTTP_200_OK)

    @extend_schema(
        summary="Change a secret",
        parameters=[NAME, IF_MATCH],
        request=PART.media,
        responses=SecretShape,
        examples=[EXAMPLE],
    )
    def partial_update(self, request: Request, name: str) -> Response:
        """Change only what is sent. New hosts need the value along: who does not know it may not have it sent there."""
        return _answer(secrets.change(self.caller, name, check=matches(request), **read(PART, request)))

    @extend_schema(
        summary="Delete a secret",
        parameters=[NAME, IF_MATCH, Force],
        responses={204: OpenApiResponse(description="It is gone.")},
    )
    def destroy(self, request: Request, name: str) -> Response:
        """Delete a secret; 409 while workflows mention it, unless forced."""
        is_forced = read_parameters(Force, request).get("force", False)
        secrets.delete(self.caller, name, check=matches(request), is_forced=is_forced)
        return Response(status=status.HTTP_204_NO_CONTENT)


def read(body: Body, request: Request) -> dict[str, Json]:
    """The checked body. Raises InvalidInput with everything wrong, none of which repeats the value."""
    given: Json = request.data
    problems: list[Problem] = []
    has_value = isinstance(given, dict) and "value" in given
    checked: dict[str, Json] = {}
    try:
        checked = body.checked({**given, "value": STAND_IN} if has_value else given)
        if checked.get("expires_on"):
            checked["expires_on"] = _day(checked["expires_on"])
    except InvalidInput as error:
        problems += error.problems
    if has_value:
        try:
            secrets.check_value(given["value"])
        except InvalidInput as error:
            problems += error.problems
        checked["value"] = given["value"]
    if problems:
        raise InvalidInput.from_problems(problems)
    return checked


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        said = f'"expires_on" must be a day such as 2027-01-31, got {text[:40]!r}.'
        raise InvalidInput(said, problems=[Problem("invalid_date", said, "/expires_on")]) from error


def _answer(row: Secret, code: int = status.HTTP_200_OK, **more: Json) -> Response:
    return Response({**_shape(row), **more}, code, headers={"ETag": entity_tag(str(row.revision))})


def _shape(row: Secret) -> dict[str, Json]:
    names = ("name", "description", "hosts", "expires_on", "is_expired", "revision", "value_set_at", "last_used_at")
    used_by, updated_by = row.last_used_by, row.updated_by
    return {
        **{name: getattr(row, name) for name in names},
        "last_used_by": {"id": used_by.id, "name": used_by.name} if used_by else None,
        "updated_by": updated_by.email if updated_by else None,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }
