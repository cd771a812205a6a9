"""How the public door stands in the OpenAPI document.

The door is a plain view, and drf-spectacular describes DRF's classes only: this class is never called, it lends the
view its description.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.views import APIView

from brainops.core.api.serializers import ClosedSerializer


class DeliveryAnswer(ClosedSerializer):
    """Which run a delivery started and where it is kept."""

    run = serializers.UUIDField(allow_null=True)
    event = serializers.UUIDField(allow_null=True)
    reason = serializers.CharField(required=False, help_text="Why no run was started.")
    detail = serializers.CharField(required=False)


_HEADERS = (
    ("X-Hub-Signature-256", "GitHub: `sha256=` and the HMAC-SHA256 of the raw body in hexadecimal."),
    ("X-GitHub-Delivery", "GitHub: the delivery's id; a repeat of it starts no second run."),
    ("X-GitHub-Event", "GitHub: the event type."),
    ("webhook-id", "Standard Webhooks: the message's id; a repeat of it starts no second run."),
    ("webhook-timestamp", "Standard Webhooks: seconds since 1970."),
    ("webhook-signature", "Standard Webhooks: `v1,` and base64, several separated by spaces."),
)


class ReceiveDescription(APIView):
    """Lends `receive_view` its description."""

    authentication_classes: Any = ()
    permission_classes: Any = ()

    @extend_schema(
        summary="Receive a delivery",
        description=(
            "The public address that outside services post to. The signature over the raw bytes is the proof; the "
            "event is stored before the answer. In `respond` mode the answer is the workflow's own."
        ),
        tags=["Webhooks"],
        auth=[],
        parameters=[OpenApiParameter(name, str, OpenApiParameter.HEADER, description=text) for name, text in _HEADERS],
        request={"application/json": {}, "application/x-www-form-urlencoded": {}, "text/plain": {"type": "string"}},
        responses={
            202: OpenApiResponse(DeliveryAnswer, "A run was started; `Location` is its address."),
            200: OpenApiResponse(
                DeliveryAnswer,
                "A repeat (`Brainops-Duplicate: true`), a ping, an event not listened to, or the workflow's answer.",
            ),
            400: OpenApiResponse(description="The body or the delivery id is malformed, or the inputs do not fit."),
            401: OpenApiResponse(description="Not signed, wrongly signed, or too old."),
            404: OpenApiResponse(description="There is no webhook at this address."),
            409: OpenApiResponse(description="The webhook or its workflow is switched off."),
            413: OpenApiResponse(description="The body is too large."),
            415: OpenApiResponse(description="The body is of a type, charset or encoding that is not read."),
            500: OpenApiResponse(description="In `respond` mode: the run failed before it answered."),
            503: OpenApiResponse(description="The database is away; nothing was stored. See `Retry-After`."),
        },
    )
    def post(self, *_args: Any, **_kwargs: Any) -> None:
        """Never called."""
