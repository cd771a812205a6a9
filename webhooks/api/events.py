"""/webhooks/{id}/events: what came to an endpoint."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from brainops.accounts.api.scope import ScopedViewSet
from brainops.accounts.policy import Permission
from brainops.core.api.parameters import read_parameters
from brainops.core.api.serializers import ClosedSerializer
from webhooks.api.serializers import EventDetailSerializer, EventSerializer
from webhooks.models import EventVerdict, WebhookEvent
from webhooks.services import endpoints, events
from webhooks.services.events import SEARCHED, Wanted

_VERDICTS = {verdict.label: verdict for verdict in EventVerdict}


class EventFilters(ClosedSerializer):
    """The query parameters of the list."""

    verdict = serializers.ChoiceField(list(_VERDICTS), required=False)
    event_type = serializers.CharField(required=False, max_length=100, help_text="Exactly this event type.")
    delivery_id = serializers.CharField(required=False, max_length=255, help_text="The sender's name for a delivery.")
    is_test = serializers.BooleanField(required=False, help_text="Only samples, or none of them.")
    is_verified = serializers.BooleanField(required=False, help_text="Whether the sender had proven itself.")
    reason = serializers.CharField(required=False, max_length=100, help_text="Exactly this code, such as too_old.")
    status = serializers.IntegerField(required=False, min_value=100, max_value=599, help_text="The HTTP status.")
    run = serializers.UUIDField(required=False, help_text="The delivery that started this run.")
    remote_addr = serializers.IPAddressField(required=False, help_text="The sender's address.")
    has_duplicates = serializers.BooleanField(required=False, help_text="Whether it came more than once.")
    search = serializers.CharField(
        required=False,
        min_length=2,
        max_length=200,
        help_text="A part of an id, the event type, the reason, the headers or the query in any case of letters, or of "
        f"the body as it was written. Looks into the newest {SEARCHED:,} events that fit the rest.",
    )
    since = serializers.DateTimeField(required=False, help_text="Received at this instant or later (RFC 3339).")
    until = serializers.DateTimeField(required=False, help_text="Received before this instant (RFC 3339).")


@extend_schema(tags=["Webhooks"])
class EventViewSet(ScopedViewSet):
    """The events of one endpoint."""

    queryset = WebhookEvent.objects.all()
    serializer_class = EventSerializer
    page_ordering = ("-received_at", "-id")
    permissions = {"list": Permission.WEBHOOKS_READ, "retrieve": Permission.WEBHOOKS_READ}

    @extend_schema(
        summary="List the events of a webhook",
        parameters=[EventFilters, OpenApiParameter("webhook_id", UUID, OpenApiParameter.PATH)],
        responses={200: EventSerializer(many=True)},
    )
    def list(self, request: Request, webhook_id: UUID) -> Response:
        """Every request that came to the endpoint, newest first; accepted, rejected and acknowledged ones."""
        endpoint = endpoints.get(self.caller, webhook_id)
        page = self.paginate_queryset(events.find(endpoint, wanted(request)))
        return self.get_paginated_response(EventSerializer(page, many=True).data)

    @extend_schema(
        summary="Read an event of a webhook",
        parameters=[
            OpenApiParameter("webhook_id", UUID, OpenApiParameter.PATH),
            OpenApiParameter("event_id", UUID, OpenApiParameter.PATH),
        ],
        responses={200: EventDetailSerializer},
    )
    def retrieve(self, request: Request, webhook_id: UUID, event_id: UUID) -> Response:
        """One request with its headers (secrets masked), query and the head of its body."""
        endpoint = endpoints.get(self.caller, webhook_id)
        return Response(EventDetailSerializer(events.get(endpoint, event_id)).data)


def wanted(request: Request) -> Wanted:
    """The filters of a request. Raises InvalidInput that names every parameter that cannot be used."""
    values: dict[str, Any] = read_parameters(EventFilters, request)
    return as_wanted(values)


def as_wanted(values: dict[str, Any]) -> Wanted:
    """Checked filters as the service takes them."""
    verdict = {"verdict": _VERDICTS[values["verdict"]]} if "verdict" in values else {}
    return Wanted(**{**values, **verdict})
