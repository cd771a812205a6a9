"""/webhooks/{id}/listen and /webhooks/{id}/test-deliveries: the test address, and what came to it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from brainops.accounts.api.scope import ScopedViewSet
from brainops.accounts.policy import Permission
from brainops.core.api.parameters import read_parameters
from brainops.core.api.serializers import ClosedSerializer
from webhooks.api.serializers import BodyPreview
from webhooks.models import TestDelivery, WebhookEndpoint
from webhooks.services import endpoints, events, tried_deliveries
from webhooks.services.tried_deliveries import LONGEST_LISTEN_SECONDS

LONGEST_WAIT_SECONDS = 25
_WEBHOOK = OpenApiParameter("webhook_id", UUID, OpenApiParameter.PATH)
_EXAMPLE_ID = "0190f2c8-0f4e-7c1d-9d1b-5b8f0b1c2d3e"


class ListenRequest(ClosedSerializer):
    """How long the test address listens."""

    seconds = serializers.IntegerField(default=600, min_value=1, max_value=LONGEST_LISTEN_SECONDS)
    starts_runs = serializers.BooleanField(
        default=False,
        help_text="Whether deliveries start runs of the newest version, in test mode. Their effects are real.",
    )


class Listening(ClosedSerializer):
    """The test address of a webhook."""

    test_url = serializers.CharField(help_text="Enter this address at the sender, to try.")
    listens_until = serializers.DateTimeField(allow_null=True, help_text="null: it does not listen.")
    starts_runs = serializers.BooleanField(source="listen_starts_runs")


class TriedDelivery(ClosedSerializer):
    """A request to the test address."""

    id = serializers.UUIDField()
    status = serializers.IntegerField(help_text="What the webhook would have answered.")
    reason = serializers.CharField(help_text="A stable code; empty when it would have started a run.")
    detail = serializers.CharField()
    method = serializers.CharField()
    path = serializers.CharField(help_text="What came behind the address.")
    delivery_id = serializers.CharField(allow_null=True)
    event_type = serializers.CharField()
    content_type = serializers.CharField()
    size_bytes = serializers.IntegerField()
    remote_addr = serializers.CharField(allow_null=True)
    run = serializers.UUIDField(source="run_uid", allow_null=True)
    received_at = serializers.DateTimeField()


class TriedDeliveryDetail(TriedDelivery):
    """A request to the test address with all that is kept of it."""

    headers = serializers.JSONField(help_text="Names in lower case, secrets masked.")
    query = serializers.JSONField()
    body = serializers.SerializerMethodField()
    trigger = serializers.JSONField(allow_null=True, help_text="What expressions would see as `trigger`.")
    inputs = serializers.JSONField(allow_null=True)

    @extend_schema_field(BodyPreview)
    def get_body(self, delivery: TestDelivery) -> dict[str, Any]:
        return events.preview(delivery)  # type: ignore[arg-type]  # its body stands in the same columns


class LatestParameters(ClosedSerializer):
    """The query parameters of the newest one."""

    after = serializers.UUIDField(required=False, help_text="Only what came after this one.")
    wait = serializers.IntegerField(
        required=False, min_value=0, max_value=LONGEST_WAIT_SECONDS, help_text="Seconds to wait for one."
    )


_LISTENING = OpenApiExample(
    "A test address that listens",
    {
        "test_url": f"https://brainops.example/api/v1/automation/webhooks/test/{_EXAMPLE_ID}",
        "listens_until": "2026-11-23T12:10:00Z",
        "starts_runs": False,
    },
    response_only=True,
)


@extend_schema(tags=["Webhooks"])
class ListenViewSet(ScopedViewSet):
    """The test address of one webhook."""

    queryset = WebhookEndpoint.objects.all()
    creator_may = True
    permissions = {"listen": Permission.WEBHOOKS_TEST, "stop": Permission.WEBHOOKS_TEST}

    @extend_schema(
        summary="Open the test address",
        parameters=[_WEBHOOK],
        request=ListenRequest,
        responses={200: Listening},
        examples=[_LISTENING],
    )
    def listen(self, request: Request, webhook_id: UUID) -> Response:
        """Let the test address listen for some seconds from now. It answers nobody otherwise."""
        given = ListenRequest(data=request.data)
        given.is_valid(raise_exception=True)
        endpoint = tried_deliveries.listen(self.caller, webhook_id, **given.validated_data)
        return Response(Listening(endpoint).data)

    @extend_schema(summary="Close the test address", parameters=[_WEBHOOK], request=None, responses={204: None})
    def stop(self, request: Request, webhook_id: UUID) -> Response:
        """Let the test address listen no longer. Once more is fine."""
        tried_deliveries.stop_listening(self.caller, webhook_id)
        return Response(status=204)


@extend_schema(tags=["Webhooks"])
class TriedDeliveryViewSet(ScopedViewSet):
    """What came to the test address of one webhook."""

    queryset = TestDelivery.objects.all()
    serializer_class = TriedDelivery
    page_ordering = ("-received_at", "-id")
    permissions = {
        "list": Permission.WEBHOOKS_READ,
        "latest": Permission.WEBHOOKS_READ,
        "retrieve": Permission.WEBHOOKS_READ,
    }

    @extend_schema(
        summary="List the test deliveries of a webhook",
        parameters=[_WEBHOOK],
        responses={200: TriedDelivery(many=True)},
    )
    def list(self, request: Request, webhook_id: UUID) -> Response:
        """Every request that came to the test address while it listened, newest first. The newest 50 are kept."""
        endpoint = endpoints.get(self.caller, webhook_id)
        found = tried_deliveries.find(endpoint).defer("body", "headers", "query", "trigger", "inputs")
        page = self.paginate_queryset(found)
        return self.get_paginated_response(TriedDelivery(page, many=True).data)

    @extend_schema(
        summary="Read the newest test delivery",
        parameters=[_WEBHOOK, LatestParameters],
        responses={200: TriedDeliveryDetail, 204: OpenApiResponse(description="There is none (yet).")},
    )
    def latest(self, request: Request, webhook_id: UUID) -> Response:
        """The newest request to the test address, or the next one after another: an editor shows it as it comes."""
        given = read_parameters(LatestParameters, request)
        request._request.may_wait = True  # type: ignore[attr-defined]  # no slow request: somebody waits on purpose
        endpoint = endpoints.get(self.caller, webhook_id)
        found = tried_deliveries.latest(endpoint, after=given.get("after"), seconds=float(given.get("wait", 0)))
        return Response(TriedDeliveryDetail(found).data) if found else Response(status=204)

    @extend_schema(
        summary="Read a test delivery",
        parameters=[_WEBHOOK, OpenApiParameter("delivery_id", UUID, OpenApiParameter.PATH)],
        responses={200: TriedDeliveryDetail},
    )
    def retrieve(self, request: Request, webhook_id: UUID, delivery_id: UUID) -> Response:
        """One request to the test address, with what a run would have seen."""
        endpoint = endpoints.get(self.caller, webhook_id)
        return Response(TriedDeliveryDetail(tried_deliveries.get(endpoint, delivery_id)).data)
