"""How triggers are doing: GET /triggers/{id}/health and GET /trigger-health."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from automation.api.arrivals import TRIGGER_ID
from automation.api.parameters import read_parameters
from automation.models import Trigger
from automation.services import trigger_health, triggers
from automation.services.trigger_health import Health, HealthState, Trouble
from brainops.accounts.api.scope import ScopedViewSet
from brainops.accounts.policy import Permission
from brainops.core.api.serializers import ClosedSerializer

STATES = [state.value for state in HealthState]
_HEALTH = {
    "trigger_id": "0b0e8b1c-2f3d-4c55-9a44-6f1f4f1c2f11",
    "workflow_id": "6f1c9f0e-8a54-4f6e-9f53-0d9f3a1e2b47",
    "kind": "email",
    "name": "Orders by mail",
    "state": "failing",
    "reason": "The mailbox does not answer.",
    "last_arrived_at": "2026-11-23T08:00:04.412Z",
    "last_run": {
        "id": "1b0f6a52-0c1f-4d0e-8b5c-9a4f1b8f6d21",
        "status": "succeeded",
        "created_at": "2026-11-23T08:00:04.412Z",
        "finished_at": "2026-11-23T08:00:05.120Z",
    },
    "last_error": {
        "code": "unreachable",
        "message": "The mailbox does not answer.",
        "since": "2026-11-23T09:12:00.031Z",
    },
    "waits": None,
    "next_at": "2026-11-23T09:20:11Z",
    "last_looked_at": "2026-11-23T09:11:00.020Z",
    "is_looking": False,
    "counts": {"ran": 12, "condition false": 3},
}
_EXAMPLE = OpenApiExample("A mailbox that does not answer", _HEALTH, response_only=True)


class HealthFilters(ClosedSerializer):
    """The query parameters of the list."""

    state = serializers.ChoiceField(STATES, required=False, help_text="Only triggers that are doing so.")
    workflow_id = serializers.UUIDField(required=False, help_text="Only triggers of this workflow.")
    kind = serializers.CharField(required=False, max_length=50, help_text="Only triggers of this kind.")


class HealthRunShape(serializers.Serializer[Any]):
    """The newest run that is no test."""

    id = serializers.UUIDField()
    status = serializers.CharField()
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class TroubleShape(serializers.Serializer[Any]):
    """What went wrong last, or what is waited for."""

    code = serializers.CharField()
    message = serializers.CharField()
    since = serializers.DateTimeField(allow_null=True)


class HealthShape(serializers.Serializer[Any]):
    """How a trigger is doing."""

    trigger_id = serializers.UUIDField()
    workflow_id = serializers.UUIDField()
    kind = serializers.CharField()
    name = serializers.CharField()
    state = serializers.ChoiceField(STATES)
    reason = serializers.CharField(help_text="Why it is in this state; may be empty.")
    last_arrived_at = serializers.DateTimeField(allow_null=True, help_text="When something came last, or a slot did.")
    last_run = HealthRunShape(allow_null=True)
    last_error = TroubleShape(allow_null=True)
    waits = TroubleShape(allow_null=True, help_text="Why things that were found are not taken yet: a full limit.")
    next_at = serializers.DateTimeField(allow_null=True, help_text="Its next slot, or the next look at its source.")
    last_looked_at = serializers.DateTimeField(allow_null=True, help_text="The last look that succeeded.")
    is_looking = serializers.BooleanField(help_text="Its source is being looked at.")
    counts = serializers.DictField(
        child=serializers.IntegerField(), help_text="What became of what came in the last 24 hours, by decision."
    )


@extend_schema(tags=["Triggers"])
class TriggerHealthViewSet(ScopedViewSet):
    """The health of triggers."""

    queryset = Trigger.objects.all()
    serializer_class = HealthShape
    creator_may = True
    permissions = {"list": Permission.TRIGGERS_READ, "retrieve": Permission.TRIGGERS_READ}

    @extend_schema(summary="List how triggers are doing", parameters=[HealthFilters], examples=[_EXAMPLE])
    def list(self, request: Request) -> Response:
        """The health of the workspace's triggers, the newest triggers first."""
        said = read_parameters(HealthFilters, request)
        state = said.pop("state", None)
        rows = triggers.find(self.caller).filter(**said).select_related("workflow")
        if state is not None:
            rows = rows.filter(id__in=trigger_health.in_state(self.caller, HealthState(state)))
        page = self.paginate_queryset(rows.defer("workflow__definition", "workflow__meta_data")) or []
        return self.get_paginated_response([told(health) for health in trigger_health.many(page)])

    @extend_schema(summary="Read how a trigger is doing", parameters=[TRIGGER_ID], examples=[_EXAMPLE])
    def retrieve(self, request: Request, id: UUID) -> Response:
        """The health of one trigger: what came last, what ran last, what went wrong since when, and what comes next."""
        return Response(told(trigger_health.get(self.caller, id)))


def told(health: Health) -> dict[str, Any]:
    """A trigger's health as the API says it."""
    trigger, run = health.trigger, health.last_run
    return {
        "trigger_id": trigger.id,
        "workflow_id": trigger.workflow_id,
        "kind": trigger.kind,
        "name": trigger.name,
        "state": health.state.value,
        "reason": health.reason,
        "last_arrived_at": health.last_arrived_at,
        "last_run": run
        and {
            "id": run.uid,
            "status": run.status.word,
            "created_at": run.created_at,
            "finished_at": run.finished_at,
        },
        "last_error": _told(health.trouble),
        "waits": _told(health.waits),
        "next_at": health.next_at,
        "last_looked_at": health.last_looked_at,
        "is_looking": health.is_looking,
        "counts": health.counts,
    }


def _told(trouble: Trouble | None) -> dict[str, Any] | None:
    if trouble is None:
        return None
    return {"code": trouble.code, "message": trouble.message, "since": trouble.since}
