"""A trigger's ledger (`firings`): what became of a schedule's slots, and running those that did not (`backfill`)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from automation.api.parameters import read_parameters
from automation.models import Firing
from automation.models.firing import FiringDecision
from automation.services import backfill_orders, backfills, triggers
from automation.services.backfills import MOST_SLOTS, Backfill, Filled
from automation.services.replays import MOST_PER_MINUTE
from brainops.accounts.api.scope import ScopedViewSet
from brainops.accounts.policy import Permission
from brainops.core.api.json import JsonParser
from brainops.core.api.serializers import ClosedSerializer

DECISIONS = {decision.label: decision for decision in FiringDecision}
TRIGGER_ID = OpenApiParameter("id", UUID, OpenApiParameter.PATH, description="The trigger.")
_FIRING = {
    "slot": "2026-11-23T08:00:00Z",
    "decision": "ran",
    "run_id": "6f1c9f0e-8a54-4f6e-9f53-0d9f3a1e2b47",
    "reason": "",
}


class FiringFilters(ClosedSerializer):
    """The query parameters of the ledger."""

    decision = serializers.ChoiceField(list(DECISIONS), required=False, help_text="Only what became this.")
    since = serializers.DateTimeField(required=False, help_text="Only slots from this instant on.")
    until = serializers.DateTimeField(required=False, help_text="Only slots before this instant.")


class FiringShape(serializers.Serializer[Any]):
    """What became of one slot."""

    slot = serializers.DateTimeField(help_text="The time that the slot is about.")
    decision = serializers.ChoiceField(list(DECISIONS))
    run_id = serializers.UUIDField(allow_null=True, help_text="The run that it started.")
    reason = serializers.CharField(help_text="Why it did not run, or what came with it; may be empty.")
    decided_at = serializers.DateTimeField(help_text="When it was first decided.")


class BackfillRequest(ClosedSerializer):
    """The period, which ends now at the latest."""

    until = serializers.DateTimeField(help_text="Up to and without this instant.")
    dry_run = serializers.BooleanField(default=False, help_text="Only say what would run.")
    per_minute = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=MOST_PER_MINUTE,
        help_text="Order a replay that starts so many runs a minute, for more slots than one request takes.",
    )

    def get_fields(self) -> dict[str, Any]:
        """With `from`, which is no name in Python."""
        since = serializers.DateTimeField(help_text="The first slot may be at this instant; 90 days ago at most.")
        return {"from": since, **super().get_fields()}


class FilledShape(serializers.Serializer[Any]):
    """What became of one slot, or would."""

    slot = serializers.DateTimeField()
    decision = serializers.ChoiceField(list(DECISIONS))
    is_new = serializers.BooleanField(help_text="False when the slot had run before.")
    run_id = serializers.UUIDField(allow_null=True, help_text="Its run; null in a dry run and where none was started.")
    reason = serializers.CharField()


class BackfillShape(serializers.Serializer[Any]):
    """What a backfill did, or would do."""

    dry_run = serializers.BooleanField()
    started = serializers.IntegerField(help_text="How many runs were started, or would be.")
    goes_on_at = serializers.DateTimeField(
        allow_null=True, help_text=f"The first slot beyond the {MOST_SLOTS} of one request: the next one's `from`."
    )
    slots = FilledShape(many=True)
    planned = serializers.IntegerField(help_text="How many slots a paced backfill runs, or would.")
    replay_id = serializers.UUIDField(
        allow_null=True, help_text="With `per_minute`: the replay that runs them, to watch and to cancel."
    )


_REQUEST = OpenApiExample(
    "One morning",
    {"from": "2026-11-23T00:00:00Z", "until": "2026-11-23T12:00:00Z", "dry_run": True},
    request_only=True,
)
_ANSWER = OpenApiExample(
    "What would run",
    {
        "dry_run": True,
        "started": 1,
        "goes_on_at": None,
        "slots": [{**_FIRING, "run_id": None, "is_new": True}],
        "planned": 0,
        "replay_id": None,
    },
    response_only=True,
    status_codes=["200"],
)
_PACED = OpenApiExample(
    "A month, ten runs a minute",
    {"from": "2026-10-24T00:00:00Z", "until": "2026-11-23T12:00:00Z", "per_minute": 10},
    request_only=True,
)
_ORDERED = OpenApiExample(
    "What was ordered",
    {
        "dry_run": False,
        "started": 0,
        "goes_on_at": None,
        "slots": [],
        "planned": 732,
        "replay_id": "0d9cbb4e-8f3a-4c58-a3d9-5f1f6f2f6a11",
    },
    response_only=True,
    status_codes=["202"],
)
_ROW = OpenApiExample("A slot that ran", {**_FIRING, "decided_at": "2026-11-23T08:00:00.412Z"}, response_only=True)


@extend_schema(tags=["Triggers"], parameters=[TRIGGER_ID])
class FiringViewSet(ScopedViewSet):
    """The ledger of one trigger."""

    queryset = Firing.objects.all()
    workspace_field = "trigger__workspace_id"
    serializer_class = FiringShape
    parser_classes = (JsonParser,)
    creator_may = True
    page_ordering = ("-slot",)
    permissions = {"list": Permission.TRIGGERS_READ, "backfill": Permission.TRIGGERS_UPDATE}

    @extend_schema(summary="List the slots of a trigger", parameters=[FiringFilters], examples=[_ROW])
    def list(self, request: Request, id: UUID) -> Response:
        """What became of each slot of a schedule, the newest first; kept for 90 days."""
        said = read_parameters(FiringFilters, request)
        wanted: dict[str, Any] = {"decision": DECISIONS[said["decision"]]} if "decision" in said else {}
        wanted |= {f"slot__{how}": said[name] for name, how in {"since": "gte", "until": "lt"}.items() if name in said}
        rows = Firing.objects.filter(trigger=triggers.get(self.caller, id), **wanted)
        return self.get_paginated_response([_shown(row) for row in self.paginate_queryset(rows) or []])

    @extend_schema(
        summary="Run the slots of a past period",
        request=BackfillRequest,
        responses={
            200: BackfillShape,
            202: BackfillShape,
            409: OpenApiResponse(description="workflow_inactive; no_schedule: the trigger has no slots."),
        },
        examples=[_REQUEST, _PACED, _ANSWER, _ORDERED],
    )
    def backfill(self, request: Request, id: UUID) -> Response:
        """Run each slot from `from` up to `until` that has not run, once, however often this is asked.

        The runs stand in the queue `bulk`, behind all others. Those of the newest version, with the trigger's inputs.
        With `per_minute` nothing is started now: 202 names the replay that does it, at that pace.
        """
        body = BackfillRequest(data=request.data)
        body.is_valid(raise_exception=True)
        said = body.validated_data
        if "per_minute" in said:
            return self._order(id, said)
        done = backfills.backfill(self.caller, id, since=said["from"], until=said["until"], dry_run=said["dry_run"])
        return Response(_told(done, dry_run=said["dry_run"]))

    def _order(self, id: UUID, said: dict[str, Any]) -> Response:
        period = {"since": said["from"], "until": said["until"]}
        answer = {"dry_run": said["dry_run"], "started": 0, "goes_on_at": None, "slots": []}
        if said["dry_run"]:
            planned = backfill_orders.preview(self.caller, id, **period)
            return Response({**answer, "planned": len(planned.slots), "replay_id": None})
        replay = backfill_orders.order(self.caller, id, **period, per_minute=said["per_minute"])
        return Response({**answer, "planned": replay.total, "replay_id": replay.id}, status=202)


def _shown(row: Firing) -> dict[str, Any]:
    return {
        "slot": row.slot,
        "decision": FiringDecision(row.decision).label,
        "run_id": row.run_uid,
        "reason": row.reason,
        "decided_at": row.created_at,
    }


def _told(done: Backfill, *, dry_run: bool) -> dict[str, Any]:
    started = [row for row in done.slots if row.is_new and (dry_run or row.run_uid)]
    return {
        "dry_run": dry_run,
        "started": len(started),
        "goes_on_at": done.goes_on_at,
        "slots": [_filled(row) for row in done.slots],
        "planned": 0,
        "replay_id": None,
    }


def _filled(row: Filled) -> dict[str, Any]:
    return {
        "slot": row.slot,
        "decision": FiringDecision(row.decision).label,
        "is_new": row.is_new,
        "run_id": row.run_uid,
        "reason": row.reason,
    }
