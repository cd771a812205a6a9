"""What reached a trigger (`arrivals`), and looking at its source now (`poll`)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from automation.api.bodies import NOTHING
from automation.api.parameters import read_parameters
from automation.models import Arrival
from automation.models.arrival import ArrivalDecision
from automation.services import arrival_log
from brainops.accounts.api.scope import ScopedViewSet
from brainops.accounts.policy import Permission
from brainops.core.api.json import JsonParser
from brainops.core.api.serializers import ClosedSerializer

DECISIONS = {decision.label: decision for decision in ArrivalDecision}
TRIGGER_ID = OpenApiParameter("id", UUID, OpenApiParameter.PATH, description="The trigger.")
_ARRIVAL = {
    "id": "019abf6e-7c51-7a41-9c1e-2f5f0d3a6b10",
    "key": "<20261123.1@shop.example.com>",
    "decision": "condition false",
    "run_id": None,
    "reason": "The condition does not hold: {{ trigger.item.total > 100 }} with trigger.item.total is 12.",
    "operands": [{"expression": "trigger.item.total", "value": 12}],
    "at": "2026-11-23T08:00:00Z",
    "arrived_at": "2026-11-23T08:00:04.412Z",
}


class ArrivalFilters(ClosedSerializer):
    """The query parameters of the ledger."""

    decision = serializers.ChoiceField(list(DECISIONS), required=False, help_text="Only what became this.")
    since = serializers.DateTimeField(required=False, help_text="Only what arrived from this instant on.")
    until = serializers.DateTimeField(required=False, help_text="Only what arrived before this instant.")


class ArrivalShape(serializers.Serializer[Any]):
    """What became of one thing that reached a trigger."""

    id = serializers.UUIDField()
    key = serializers.CharField(help_text="What names it within the trigger: it starts one run at most.")
    decision = serializers.ChoiceField(
        list(DECISIONS), help_text="`limit full` and `over quota` wait: they are decided anew when they come again."
    )
    run_id = serializers.UUIDField(allow_null=True, help_text="The run that it started.")
    reason = serializers.CharField(help_text="Why it started none; may be empty.")
    operands = serializers.ListField(
        child=serializers.DictField(), allow_null=True, help_text="The values that a condition saw which did not hold."
    )
    at = serializers.DateTimeField(allow_null=True, help_text="When it came about, as its source says.")
    arrived_at = serializers.DateTimeField()


class OneArrivalShape(ArrivalShape):
    """An arrival with what came."""

    is_cut = serializers.BooleanField(help_text="Large parts of the data are shown by their beginning.")

    def get_fields(self) -> dict[str, Any]:
        """With `data`, which is a property of serializers."""
        data = serializers.JSONField(allow_null=True, help_text="What came, for seven days; then null.")
        return {**super().get_fields(), "data": data}


class LookingShape(serializers.Serializer[Any]):
    """A look that was asked for."""

    trigger_id = serializers.UUIDField()
    health_url = serializers.CharField(help_text="Where to see what came of it.")


_ROW = OpenApiExample("A mail that was passed over", _ARRIVAL, response_only=True)
_RAN = OpenApiExample(
    "It runs by now",
    {**_ARRIVAL, "decision": "ran", "run_id": "6f1c9f0e-8a54-4f6e-9f53-0d9f3a1e2b47", "reason": "", "operands": None},
    response_only=True,
    status_codes=["200"],
)
_ONE = OpenApiExample(
    "A mail that was passed over", {**_ARRIVAL, "data": {"total": 12}, "is_cut": False}, response_only=True
)


_LOOKING = OpenApiExample(
    "A look was asked for",
    {
        "trigger_id": "0b0e8b1c-2f3d-4c55-9a44-6f1f4f1c2f11",
        "health_url": "/api/v1/automation/triggers/0b0e8b1c-2f3d-4c55-9a44-6f1f4f1c2f11/health",
    },
    response_only=True,
    status_codes=["202"],
)


@extend_schema(tags=["Triggers"], parameters=[TRIGGER_ID])
class ArrivalViewSet(ScopedViewSet):
    """The ledger of one trigger."""

    queryset = Arrival.objects.all()
    serializer_class = ArrivalShape
    parser_classes = (JsonParser,)
    creator_may = True
    page_ordering = ("-created_at", "-id")
    permissions = {
        "list": Permission.TRIGGERS_READ,
        "retrieve": Permission.RUNS_READ,  # what came is what a run sees
        "poll": Permission.TRIGGERS_UPDATE,
        "run": Permission.TRIGGERS_UPDATE,
    }

    @extend_schema(summary="List what reached a trigger", parameters=[ArrivalFilters], examples=[_ROW])
    def list(self, request: Request, id: UUID) -> Response:
        """What reached a trigger of mails, files, messages, events and the like, the newest first; for 30 days.

        Schedules have `firings`, webhooks their events.
        """
        said = read_parameters(ArrivalFilters, request)
        if "decision" in said:
            said["decision"] = DECISIONS[said["decision"]]
        rows = arrival_log.find(self.caller, id, **said)
        return self.get_paginated_response([shown(row) for row in self.paginate_queryset(rows) or []])

    @extend_schema(summary="Read what reached a trigger", responses={200: OneArrivalShape}, examples=[_ONE])
    def retrieve(self, request: Request, id: UUID, arrival_id: UUID) -> Response:
        """One arrival with what came, as a run sees it in `trigger.item`."""
        row = arrival_log.get(self.caller, id, arrival_id)
        return Response({**shown(row), "data": row.data, "is_cut": row.is_cut})

    @extend_schema(
        summary="Decide anew about what reached a trigger",
        request=None,
        responses={
            200: ArrivalShape,
            409: OpenApiResponse(description="already_ran; sample_cut: it is not kept whole any more."),
        },
        examples=[_RAN],
    )
    def run(self, request: Request, id: UUID, arrival_id: UUID) -> Response:
        """Start the run of something that was passed over or refused, if condition and inputs allow it by now.

        Once at most, as when it came. The answer says what became of it.
        """
        NOTHING.read(request)
        return Response(shown(arrival_log.run(self.caller, id, arrival_id)))

    @extend_schema(
        summary="Look at a trigger's source now",
        request=None,
        responses={
            202: LookingShape,
            409: OpenApiResponse(description="not_polled: it has no source; trigger_inactive: it is switched off."),
        },
        examples=[_LOOKING],
    )
    def poll(self, request: Request, id: UUID) -> Response:
        """Have a worker look at the source at once, not at its next time. Its health says what came of it."""
        NOTHING.read(request)
        trigger = arrival_log.look_now(self.caller, id)
        address = f"{request.path.rstrip('/').removesuffix('/poll')}/health"
        return Response({"trigger_id": trigger.id, "health_url": address}, status.HTTP_202_ACCEPTED)


def shown(row: Arrival) -> dict[str, Any]:
    """An arrival as the API says it."""
    return {
        "id": row.id,
        "key": row.key,
        "decision": ArrivalDecision(row.decision).label,
        "run_id": row.run_uid,
        "reason": row.reason,
        "operands": row.operands,
        "at": row.at,
        "arrived_at": row.created_at,
    }
