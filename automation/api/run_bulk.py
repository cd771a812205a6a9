"""POST /runs/bulk: cancel many runs. Retrying many is a replay (`replays.py`), at a pace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from automation.api.bodies import Body
from automation.api.bulk_shape import (
    IDS,
    INSTANT,
    MANNER,
    UUID_TEXT,
    OutcomeShape,
    read_filter,
    read_manner,
    read_which,
    report_body,
)
from automation.api.idempotent import REPLAYED, once
from automation.api.parameters import IDEMPOTENCY_KEY
from automation.api.run_schema import RUN_STATUSES
from automation.services import bulk_runs
from automation.services.idempotency import Answer
from brainops.accounts.api.scope import CallerView
from brainops.accounts.policy import Permission
from brainops.core.api.serializers import ClosedSerializer

BODY = Body(
    {
        "action": {"enum": ["cancel"], "description": "Steps that are done stay done; no further step starts."},
        "ids": IDS,
        "filter": {
            "type": "object",
            "additionalProperties": False,
            "description": "Runs under way that fit all of this.",
            "properties": {
                "workflow_id": UUID_TEXT,
                "status": {"type": "array", "items": {"enum": list(bulk_runs.UNDER_WAY)}, "minItems": 1},
                "version": {"type": "string", "maxLength": 32},
                "trigger_id": UUID_TEXT,
                "created_by": UUID_TEXT,
                "created_since": INSTANT,
                "created_until": INSTANT,
            },
        },
        **MANNER,
    },
    required=("action",),
)


class FilterValues(ClosedSerializer):
    """The filter with its ids and instants read."""

    workflow_id = serializers.UUIDField(required=False)
    status = serializers.ListField(child=serializers.ChoiceField(RUN_STATUSES), required=False)
    version = serializers.CharField(required=False)
    trigger_id = serializers.UUIDField(required=False)
    created_by = serializers.UUIDField(required=False)
    created_since = serializers.DateTimeField(required=False)
    created_until = serializers.DateTimeField(required=False)


class RunOutcome(OutcomeShape):
    """What became of a run."""

    run_status = serializers.ChoiceField(
        RUN_STATUSES, required=False, help_text="`cancelled`, or `running`: its worker was told, it stops at once."
    )


class RunBulkReport(serializers.Serializer[Any]):
    """What became of each."""

    action = serializers.ChoiceField(["cancel"])
    dry_run = serializers.BooleanField()
    applied = serializers.BooleanField(help_text="False: nothing was changed.")
    total = serializers.IntegerField()
    counts = serializers.DictField(child=serializers.IntegerField(), help_text="How many, by status.")
    results = RunOutcome(many=True, help_text="In the order they were named, each once.")


class RunBulkView(CallerView):
    """Cancels many runs. Reading them is asked for here, the right to cancel for each of them."""

    permissions = {"post": Permission.RUNS_READ}
    creator_may = True

    @extend_schema(
        summary="Cancel many runs",
        tags=["Runs"],
        parameters=[IDEMPOTENCY_KEY],
        request=BODY.media,
        responses={
            200: RunBulkReport,
            409: OpenApiResponse(description="bulk_refused (all or nothing became nothing), idempotency_key_reused."),
        },
        examples=[
            OpenApiExample(
                "All that wait in line",
                value={"action": "cancel", "filter": {"status": ["queued", "blocked"]}},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Cancel runs by id, or all under way that fit a filter."""
        body = BODY.read(request)
        manner = read_manner(body)

        def find(given: Mapping[str, Any]) -> list[UUID]:
            return bulk_runs.find(self.caller, read_filter(FilterValues, given))

        def work() -> Answer:
            report = bulk_runs.cancel(self.caller, read_which(body, find), manner=manner)
            return Answer(status.HTTP_200_OK, report_body(body["action"], report, manner))

        answer = once(request, self.caller, work)
        return Response(answer.body, answer.status, headers=REPLAYED if answer.is_replay else {})
