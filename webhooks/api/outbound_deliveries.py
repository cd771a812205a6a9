"""/subscriptions/{id}/deliveries: what a subscription was sent, each try of it, and sending it again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from automation.api.bodies import NOTHING
from automation.api.parameters import read_parameters
from automation.models import DeliveryState
from brainops.accounts.api.scope import ScopedViewSet
from brainops.accounts.policy import Permission
from brainops.core.api.serializers import ClosedSerializer
from brainops.core.errors import InvalidInput, Problem
from webhooks.api import subscription_examples as examples
from webhooks.api import subscription_shape
from webhooks.api.subscription_shape import OutboundDeliveryShape, ReplayedShape, WholeDeliveryShape
from webhooks.models import OutboundDelivery
from webhooks.services import outbound_acts
from webhooks.services.outbound_acts import MOST_PER_MINUTE, PER_MINUTE

MOST_CHOSEN = 1_000  # deliveries that one request names
SUBSCRIPTION_ID = OpenApiParameter("id", UUID, OpenApiParameter.PATH, description="The subscription.")
DELIVERY_ID = OpenApiParameter("delivery_id", UUID, OpenApiParameter.PATH, description="The delivery.")
_LOOKUPS = {"since": "created_at__gte", "until": "created_at__lt"}


class OutboundFilters(ClosedSerializer):
    """The query parameters of the list."""

    state = serializers.ChoiceField(DeliveryState.values, required=False)
    type = serializers.CharField(required=False, max_length=200, help_text="Exactly this type of events.")
    event_id = serializers.CharField(required=False, max_length=100, help_text="The event of `/events`.")
    workflow_id = serializers.UUIDField(required=False, help_text="About this workflow.")
    is_test = serializers.BooleanField(required=False, help_text="Only tests, or none of them.")
    since = serializers.DateTimeField(required=False, help_text="Made at this instant or later (RFC 3339).")
    until = serializers.DateTimeField(required=False, help_text="Made before this instant (RFC 3339).")


class OutboundReplayRequest(ClosedSerializer):
    """What to send again: chosen deliveries, or all of a time that failed or were called off."""

    deliveries = serializers.ListField(
        child=serializers.UUIDField(), required=False, min_length=1, max_length=MOST_CHOSEN, help_text="Chosen ones."
    )
    since = serializers.DateTimeField(required=False, help_text="All that failed of those made since then.")
    until = serializers.DateTimeField(required=False, help_text="With `since`: made before this instant.")
    per_minute = serializers.IntegerField(
        default=PER_MINUTE, min_value=1, max_value=MOST_PER_MINUTE, help_text="How many are sent in a minute."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Either chosen ones or a time."""
        if ("deliveries" in attrs) == ("since" in attrs):
            said = 'Say either "deliveries" or "since".'
            raise InvalidInput.from_problems([Problem("required", said, "/deliveries")])
        if "until" in attrs and "since" not in attrs:
            said = '"until" belongs to "since". Leave it out, or say since when.'
            raise InvalidInput.from_problems([Problem("unexpected", said, "/until")])
        return attrs


@extend_schema(tags=["Subscriptions"])
class OutboundDeliveryViewSet(ScopedViewSet):
    """The deliveries of one subscription."""

    queryset = OutboundDelivery.objects.all()
    serializer_class = OutboundDeliveryShape
    permissions = {
        **dict.fromkeys(("list", "retrieve"), Permission.SUBSCRIPTIONS_READ),
        **dict.fromkeys(("redeliver", "replay"), Permission.SUBSCRIPTIONS_REPLAY),
    }

    @extend_schema(
        summary="List the deliveries of a subscription",
        parameters=[SUBSCRIPTION_ID, OutboundFilters],
        responses={200: OutboundDeliveryShape(many=True)},
    )
    def list(self, request: Request, id: UUID) -> Response:
        """What the subscription was sent and is to be sent, newest first."""
        given: dict[str, Any] = read_parameters(OutboundFilters, request)
        wanted = {_LOOKUPS.get(name, name): value for name, value in given.items()}
        page = self.paginate_queryset(outbound_acts.deliveries(self.caller, id).filter(**wanted)) or []
        return self.get_paginated_response(subscription_shape.deliveries(page))

    @extend_schema(
        summary="Read a delivery of a subscription",
        parameters=[SUBSCRIPTION_ID, DELIVERY_ID],
        responses={200: WholeDeliveryShape},
        examples=[examples.DELIVERY],
    )
    def retrieve(self, request: Request, id: UUID, delivery_id: UUID) -> Response:
        """One delivery: what is posted, and each try with its status, its duration and the start of the answer."""
        return Response(subscription_shape.whole_delivery(outbound_acts.delivery(self.caller, id, delivery_id)))

    @extend_schema(
        summary="Send a delivery of a subscription again",
        request=NOTHING.media,
        parameters=[SUBSCRIPTION_ID, DELIVERY_ID],
        responses={
            202: WholeDeliveryShape,
            409: OpenApiResponse(description="delivery_pending: it is on its way. subscription_off."),
        },
        examples=[examples.AGAIN],
    )
    def redeliver(self, request: Request, id: UUID, delivery_id: UUID) -> Response:
        """Send a delivery again under the same `webhook-id`, within about a second."""
        NOTHING.read(request)
        row = outbound_acts.redeliver(self.caller, id, delivery_id)
        return Response(subscription_shape.whole_delivery(row), status.HTTP_202_ACCEPTED)

    @extend_schema(
        summary="Send deliveries of a subscription again",
        request=OutboundReplayRequest,
        parameters=[SUBSCRIPTION_ID],
        responses={202: ReplayedShape, 409: OpenApiResponse(description="subscription_off: switch it on first.")},
        examples=[examples.REPLAY, examples.REPLAYED],
    )
    def replay(self, request: Request, id: UUID) -> Response:
        """Send chosen deliveries again, or all that did not arrive since an instant; so many a minute."""
        given = OutboundReplayRequest(data=request.data)
        given.is_valid(raise_exception=True)
        said = dict(given.validated_data)
        done = outbound_acts.replay(self.caller, id, ids=said.pop("deliveries", ()), **said)
        return Response({"count": done.count, "seconds": done.seconds, "more": done.more}, status.HTTP_202_ACCEPTED)
