"""/event-deliveries: which event went to which trigger, and the dead letters among them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from automation.api.bodies import NOTHING
from automation.api.parameters import read_parameters
from automation.models import EventDelivery, EventDeliveryState
from automation.services import event_letters
from automation.services.event_deliveries import described
from brainops.accounts.api.scope import ScopedViewSet
from brainops.accounts.policy import Permission
from brainops.core.api.serializers import ClosedSerializer

_SHOWN = {
    "id": "0199a6f2-7b11-7a44-8f0e-5d4f3b1c2a10",
    "event_id": "0199a6f2-6a55-7d20-8f0e-5d4f3b1c2a10",
    "event_type": "order.paid",
    "trigger_id": "0199a6f0-1c3d-7b11-8f0e-5d4f3b1c2a10",
    "workflow_id": "0199a6f0-0a2b-7c00-8f0e-5d4f3b1c2a10",
    "state": "dead",
    "code": "refused",
    "reason": "order_id is required.",
    "attempts": 1,
    "run_id": None,
    "next_at": None,
    "created_at": "2026-11-23T17:31:00.120Z",
    "updated_at": "2026-11-23T17:31:00.140Z",
}


class EventDeliveryShape(serializers.Serializer[Any]):
    """The delivery of an event to a trigger."""

    id = serializers.UUIDField()
    event_id = serializers.UUIDField()
    event_type = serializers.CharField()
    trigger_id = serializers.UUIDField()
    workflow_id = serializers.UUIDField()
    state = serializers.ChoiceField(EventDeliveryState.values, help_text="`dead` is a dead letter.")
    code = serializers.CharField(help_text="Why there is no run: hop_limit, refused, over_quota, condition …")
    reason = serializers.CharField()
    attempts = serializers.IntegerField(help_text="Since it was asked for the last time.")
    run_id = serializers.UUIDField(allow_null=True)
    next_at = serializers.DateTimeField(allow_null=True, help_text="When it is tried next, while it is pending.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class EventDeliveryFilters(ClosedSerializer):
    """The query parameters of the list."""

    state = serializers.ChoiceField(EventDeliveryState.values, required=False, help_text="`dead` for dead letters.")
    event_id = serializers.UUIDField(required=False, help_text="Only of this event.")
    trigger_id = serializers.UUIDField(required=False, help_text="Only to this trigger.")


_EXAMPLE = OpenApiExample("A dead letter", _SHOWN, response_only=True)


@extend_schema(tags=["Events"])
class EventDeliveryViewSet(ScopedViewSet):
    """Deliveries of the workspace's events to its triggers."""

    queryset = EventDelivery.objects.select_related("event", "trigger")
    serializer_class = EventDeliveryShape
    permissions = {
        "list": Permission.EVENTS_READ,
        "retrieve": Permission.EVENTS_READ,
        "redeliver": Permission.EVENTS_WRITE,
        "discard": Permission.EVENTS_WRITE,
    }

    @extend_schema(summary="List deliveries of events", parameters=[EventDeliveryFilters], examples=[_EXAMPLE])
    def list(self, request: Request) -> Response:
        """Deliveries, the newest first; `state=dead` lists the dead letters."""
        rows = event_letters.find(self.caller, **read_parameters(EventDeliveryFilters, request))
        return self.get_paginated_response([_shown(row) for row in self.paginate_queryset(rows) or []])

    @extend_schema(summary="Read a delivery of an event", responses=EventDeliveryShape, examples=[_EXAMPLE])
    def retrieve(self, request: Request, id: UUID) -> Response:
        """One delivery, with the reason when it started no run."""
        return Response(_shown(event_letters.get(self.caller, id)))

    @extend_schema(
        summary="Deliver an event again",
        request=NOTHING.media,
        responses={
            200: EventDeliveryShape,
            409: OpenApiResponse(description="not_redeliverable: it started a run, or is under way."),
        },
    )
    def redeliver(self, request: Request, id: UUID) -> Response:
        """Bring an event to its trigger once more, after what kept it from starting a run was put right."""
        NOTHING.read(request)
        return Response(_shown(event_letters.redeliver(self.caller, id)))

    @extend_schema(
        summary="Discard a dead letter",
        request=NOTHING.media,
        responses={200: EventDeliveryShape, 409: OpenApiResponse(description="no_dead_letter.")},
    )
    def discard(self, request: Request, id: UUID) -> Response:
        """Put a dead letter aside; it stays in the list as discarded, and may still be delivered again."""
        NOTHING.read(request)
        return Response(_shown(event_letters.discard(self.caller, id)))


def _shown(row: EventDelivery) -> dict[str, Any]:
    said = described(row)
    said.pop("listener")
    return {**said, "event_id": row.event_id, "event_type": row.event.name}
