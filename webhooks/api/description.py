"""How the public door stands in the OpenAPI document.

The door is a plain view, and drf-spectacular describes DRF's classes only: this class is never called, it lends the
view its description.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.views import APIView

from brainops.core.api.serializers import ClosedSerializer


class DeliveryAnswer(ClosedSerializer):
    """Which run a delivery started and where it is kept."""

    run = serializers.UUIDField(allow_null=True)
    event = serializers.UUIDField(allow_null=True)
    reason = serializers.CharField(required=False, help_text="Why no run was started.")
    detail = serializers.CharField(required=False)
    status_url = serializers.CharField(
        required=False, help_text="Where the answer of a slow run can be asked for, without a key, for a day."
    )


_HEADERS = (
    ("X-Hub-Signature-256", "GitHub: `sha256=` and the HMAC-SHA256 of the raw body in hexadecimal."),
    ("X-GitHub-Delivery", "GitHub: the delivery's id; a repeat of it starts no second run."),
    ("X-GitHub-Event", "GitHub: the event type."),
    ("webhook-id", "Standard Webhooks: the message's id; a repeat of it starts no second run."),
    ("webhook-timestamp", "Standard Webhooks: seconds since 1970."),
    ("webhook-signature", "Standard Webhooks: `v1,` and base64, several separated by spaces."),
)


class StatusAnswer(ClosedSerializer):
    """A run that has not answered yet."""

    status = serializers.CharField()


class TestAnswer(ClosedSerializer):
    """What became of a request to a test address."""

    test = serializers.UUIDField()
    run = serializers.UUIDField(allow_null=True, help_text="The test run, where those were asked for.")
    reason = serializers.CharField(required=False, help_text="Why the webhook would have started none.")


class _Open(APIView):
    authentication_classes: Any = ()
    permission_classes: Any = ()


def _part(name: str, kind: type, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.PATH, description=description)


class NotDescribed(_Open):
    """For what stands behind an address that is described: the same answers, under a path of the config's own."""

    @extend_schema(exclude=True)
    def post(self, *_args: Any, **_kwargs: Any) -> None:
        """Never called."""


class StatusDescription(_Open):
    """Lends `status_view` its description."""

    @extend_schema(
        operation_id="webhooks_status_retrieve",
        parameters=[_part("token", str, "The last part of the `status_url`.")],
        summary="Ask for the answer of a slow run",
        description=(
            "The `status_url` of a delivery whose run took longer than its caller could wait. The address is its own "
            "proof and ends after a day; it tells the status and the answer of this run, nothing else."
        ),
        tags=["Webhooks"],
        auth=[],
        responses={
            202: OpenApiResponse(StatusAnswer, "The run goes on. Ask again after `Retry-After` seconds."),
            200: OpenApiResponse(description="The answer that the delivery would have got."),
            404: OpenApiResponse(description="There is no such address, or its time is over."),
            500: OpenApiResponse(description="The run failed before it answered."),
        },
        examples=[OpenApiExample("It goes on", {"status": "running"}, response_only=True, status_codes=["202"])],
    )
    def get(self, *_args: Any, **_kwargs: Any) -> None:
        """Never called."""


class TestReceiveDescription(_Open):
    """Lends `test_view` its description."""

    @extend_schema(
        operation_id="webhooks_try_create",
        parameters=[_part("test_id", UUID, "The last part of the `test_url`.")],
        summary="Receive a test delivery",
        description=(
            "The address beside the public one, for trying. It listens only while somebody has opened it "
            "(`POST /webhooks/{id}/listen`) and is unknown otherwise. What comes is judged as by the webhook itself "
            "and kept as a sample."
        ),
        tags=["Webhooks"],
        auth=[],
        request={"application/json": {}},
        responses={
            202: OpenApiResponse(TestAnswer, "The webhook would have started a run."),
            200: OpenApiResponse(TestAnswer, "The webhook would have started none: a ping, a handshake."),
            401: OpenApiResponse(description="Not signed, wrongly signed, or too old."),
            404: OpenApiResponse(description="Nobody listens at this address."),
            429: OpenApiResponse(description="More than a test address takes."),
        },
        examples=[
            OpenApiExample(
                "A ping",
                {"test": "0190f2c8-0f4e-7c1d-9d1b-5b8f0b1c2d3e", "run": None, "reason": "ping"},
                response_only=True,
                status_codes=["200"],
            )
        ],
    )
    def post(self, *_args: Any, **_kwargs: Any) -> None:
        """Never called."""


class ReceiveDescription(_Open):
    """Lends `receive_view` its description."""

    @extend_schema(
        summary="Receive a delivery",
        description=(
            "The public address that outside services post to. The signature over the raw bytes is the proof; the "
            "event is stored before the answer. Where the webhook's `answer` says so, it is the workflow's own. "
            "A webhook may take other methods (`methods`) and a path behind the address (`path`), as in "
            "`/receive/orders/7`."
        ),
        tags=["Webhooks"],
        auth=[],
        parameters=[OpenApiParameter(name, str, OpenApiParameter.HEADER, description=text) for name, text in _HEADERS],
        request={
            "application/json": {},
            "application/x-www-form-urlencoded": {},
            "multipart/form-data": {},
            "application/xml": {"type": "string"},
            "text/plain": {"type": "string"},
            "application/octet-stream": {"type": "string", "format": "binary"},
        },
        responses={
            202: OpenApiResponse(
                DeliveryAnswer,
                "A run was started; `Location` is its address. Or (`reason: buffered`) the delivery waits while the "
                "webhook is switched off.",
            ),
            303: OpenApiResponse(description="With the answer `redirect`; 302, 307 and 308 by choice."),
            200: OpenApiResponse(
                DeliveryAnswer,
                "A repeat (`Brainops-Duplicate: true`), a ping, an event not listened to, or the workflow's answer.",
            ),
            400: OpenApiResponse(description="The body or the delivery id is malformed, or the inputs do not fit."),
            401: OpenApiResponse(description="Not signed, wrongly signed, or too old."),
            403: OpenApiResponse(description="The sender's network or origin may not send here."),
            404: OpenApiResponse(description="There is no webhook at this address."),
            405: OpenApiResponse(description="The webhook does not take this method. See `Allow`."),
            409: OpenApiResponse(description="The webhook or its workflow is switched off."),
            413: OpenApiResponse(description="The body is too large."),
            415: OpenApiResponse(description="The body is of a type, charset or encoding that is not read."),
            429: OpenApiResponse(description="More than the webhook takes. See `Retry-After`."),
            500: OpenApiResponse(description="Where the answer is the workflow's: the run failed before it answered."),
            503: OpenApiResponse(description="The database is away; nothing was stored. See `Retry-After`."),
        },
    )
    def post(self, *_args: Any, **_kwargs: Any) -> None:
        """Never called."""
