"""/subscriptions: addresses outside that hear of events, signed as Standard Webhooks says."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from automation.api.bodies import NOTHING, Body
from automation.api.idempotent import REPLAYED, once
from automation.api.parameters import IDEMPOTENCY_KEY, read_parameters
from automation.models import DeliveryState
from automation.services.idempotency import Answer
from brainops.accounts.api.scope import ScopedViewSet
from brainops.accounts.policy import Permission
from brainops.core.api.json import JsonParser, MergePatchParser
from brainops.core.api.serializers import ClosedSerializer
from webhooks.api import subscription_examples as examples
from webhooks.api import subscription_shape
from webhooks.api.subscription_shape import FIELDS, SavedSubscriptionShape, SubscriptionShape, TestedShape
from webhooks.models import Subscription
from webhooks.services import outbound_acts, subscriptions
from webhooks.services.subscriptions import GRACE_SECONDS, LONGEST_GRACE_SECONDS

NEW = Body(FIELDS, required=("url", "types"))
PATCH = Body(FIELDS)
SUBSCRIPTION_ID = OpenApiParameter("id", UUID, OpenApiParameter.PATH, description="The subscription.")


class SubscriptionFilters(ClosedSerializer):
    """The query parameters of the list."""

    is_active = serializers.BooleanField(required=False, help_text="Only those that are on, or off.")


class SubscriptionRotation(ClosedSerializer):
    """How to rotate."""

    grace_seconds = serializers.IntegerField(
        default=GRACE_SECONDS,
        min_value=0,
        max_value=LONGEST_GRACE_SECONDS,
        help_text="How long the previous secret signs as well. 0 ends it at once.",
    )


@extend_schema(tags=["Subscriptions"])
class SubscriptionViewSet(ScopedViewSet):
    """The subscriptions of the workspace."""

    queryset = Subscription.objects.all()
    serializer_class = SubscriptionShape
    parser_classes = (JsonParser, MergePatchParser)
    permissions = {
        **dict.fromkeys(("list", "retrieve"), Permission.SUBSCRIPTIONS_READ),
        **dict.fromkeys(("create", "update", "partial_update", "destroy"), Permission.SUBSCRIPTIONS_WRITE),
        **dict.fromkeys(("rotate", "test"), Permission.SUBSCRIPTIONS_WRITE),
    }
    rate_kinds = {"test": "starts"}

    @extend_schema(summary="List subscriptions", parameters=[SubscriptionFilters])
    def list(self, request: Request) -> Response:
        """The subscriptions of the workspace, newest first."""
        rows = subscriptions.find(self.caller).filter(**read_parameters(SubscriptionFilters, request))
        page = self.paginate_queryset(rows) or []
        return self.get_paginated_response([subscription_shape.one(row) for row in page])

    @extend_schema(
        summary="Create a subscription",
        request=NEW.media,
        responses={
            201: SavedSubscriptionShape,
            409: OpenApiResponse(description="too_many_subscriptions: the workspace has as many as there may be."),
        },
        parameters=[IDEMPOTENCY_KEY],
        examples=[examples.REQUEST, examples.MADE],
    )
    def create(self, request: Request) -> Response:
        """Subscribe an address. The secret stands in this answer and nowhere else, not even in a repeated one."""
        body = NEW.read(request)
        shown_once: dict[str, Any] = {}

        def work() -> Answer:
            saved = subscriptions.create(self.caller, **body)
            shown_once["secret"] = saved.secret
            address = f"{request.path.rstrip('/')}/{saved.subscription.id}"
            shown = subscription_shape.one(saved.subscription)
            return Answer(status.HTTP_201_CREATED, shown, {"Location": address})

        answer = once(request, self.caller, work)
        extra = REPLAYED if answer.is_replay else {}
        return Response({**answer.body, **shown_once}, answer.status, headers={**answer.headers, **extra})

    @extend_schema(
        summary="Read a subscription",
        parameters=[SUBSCRIPTION_ID],
        responses={200: SubscriptionShape},
        examples=[examples.ROW],
    )
    def retrieve(self, request: Request, id: UUID) -> Response:
        """One subscription, and how it goes. Its secret and the values of its headers are not in the answer."""
        return Response(subscription_shape.one(subscriptions.get(self.caller, id)))

    @extend_schema(
        summary="Replace a subscription",
        request=NEW.media,
        parameters=[SUBSCRIPTION_ID],
        responses={200: SubscriptionShape},
        examples=[examples.REQUEST, examples.ROW],
    )
    def update(self, request: Request, id: UUID) -> Response:
        """Save all of a subscription; what is left out gets its default. The secret stays."""
        body = NEW.checked(self._without_sent_back(request, id))
        return Response(subscription_shape.saved(subscriptions.replace(self.caller, id, **body)))

    @extend_schema(
        summary="Change a subscription",
        request=PATCH.media,
        parameters=[SUBSCRIPTION_ID],
        responses={200: SubscriptionShape},
        examples=[examples.CHANGE, examples.ROW],
    )
    def partial_update(self, request: Request, id: UUID) -> Response:
        """Change what is named. `is_active: true` switches one on again that was switched off."""
        body = PATCH.checked(self._without_sent_back(request, id))
        return Response(subscription_shape.saved(subscriptions.change(self.caller, id, body)))

    @extend_schema(
        summary="Delete a subscription",
        parameters=[SUBSCRIPTION_ID],
        responses={204: OpenApiResponse(description="It is gone.")},
    )
    def destroy(self, request: Request, id: UUID) -> Response:
        """Delete a subscription with its deliveries."""
        subscriptions.delete(self.caller, id)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="Rotate the secret of a subscription",
        request=SubscriptionRotation,
        parameters=[SUBSCRIPTION_ID],
        responses={200: SavedSubscriptionShape},
        examples=[examples.ROTATION, examples.ROTATED],
    )
    def rotate(self, request: Request, id: UUID) -> Response:
        """Sign with a new secret, and for `grace_seconds` with the old one, too. It stands in this answer only."""
        given = SubscriptionRotation(data=request.data)
        given.is_valid(raise_exception=True)
        return Response(subscription_shape.saved(subscriptions.rotate(self.caller, id, **given.validated_data)))

    @extend_schema(
        summary="Test a subscription",
        request=NOTHING.media,
        parameters=[SUBSCRIPTION_ID],
        responses=TestedShape,
        examples=[examples.TESTED],
    )
    def test(self, request: Request, id: UUID) -> Response:
        """Send an event that is marked as a test, once, and say what became of it; also while it is switched off."""
        NOTHING.read(request)
        request._request.may_wait = True  # type: ignore[attr-defined]  # a long answer is no slow one
        made = outbound_acts.test(self.caller, id)
        shown = subscription_shape.whole_delivery(made)
        return Response({"is_sent": made.state == DeliveryState.SENT, "delivery": shown})

    def _without_sent_back(self, request: Request, id: UUID) -> Any:
        """A client may change what it read and send all of it back."""
        shown = subscription_shape.one(subscriptions.get(self.caller, id))
        return subscription_shape.without_sent_back(request.data, shown)
