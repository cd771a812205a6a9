"""POST /triggers/{id}/test: what a trigger would do with something that came to it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from automation.api.arrivals import TRIGGER_ID
from automation.api.idempotent import REPLAYED, once
from automation.api.parameters import IDEMPOTENCY_KEY
from automation.models import Trigger
from automation.services import trials
from automation.services.idempotency import Answer
from automation.services.trials import NOTHING, Trial
from brainops.accounts.api.scope import ScopedViewSet
from brainops.accounts.policy import Permission
from brainops.core.api.json import JsonParser
from brainops.core.api.serializers import ClosedSerializer
from brainops.core.errors import InvalidInput, Problem


class TrialRequest(ClosedSerializer):
    """What to try it with: nothing stands for the newest thing that came."""

    sample_id = serializers.UUIDField(
        required=False, help_text="One thing that came: an arrival of the trigger, or an event of its webhook."
    )
    run = serializers.BooleanField(default=False, help_text="Start a test run with it, whatever the condition says.")

    def get_fields(self) -> dict[str, Any]:
        """With `data`, which is a property of serializers."""
        said = "Data instead: a run's `trigger.item`; the body of a webhook; members of a schedule's `trigger`."
        return {**super().get_fields(), "data": serializers.JSONField(required=False, allow_null=True, help_text=said)}


class SampleShape(serializers.Serializer[Any]):
    """What it was tried with."""

    id = serializers.UUIDField(allow_null=True, help_text="Of what came; null for given data and for schedules.")
    at = serializers.DateTimeField(allow_null=True)
    is_cut = serializers.BooleanField(help_text="Only the beginning of large parts is kept: no run can be started.")


class TrialShape(serializers.Serializer[Any]):
    """What a trigger would do."""

    would_run = serializers.BooleanField()
    code = serializers.ChoiceField(["condition_true", "condition_false", "condition_failed", "refused", "inactive"])
    reason = serializers.CharField(help_text="Why it would not run, or with which values its condition holds.")
    operands = serializers.ListField(child=serializers.DictField(), help_text="The values that the condition saw.")
    trigger = serializers.DictField(help_text="What a run would see as `trigger`.")
    inputs = serializers.DictField(help_text="The inputs that it would get, with defaults.")
    problems = serializers.ListField(child=serializers.DictField(), help_text="What is wrong with the inputs.")
    sample = SampleShape()
    run_id = serializers.UUIDField(allow_null=True, help_text="The test run that was started.")


_REQUEST = OpenApiExample("Given data", {"data": {"total": 12}}, request_only=True)
_ANSWER = OpenApiExample(
    "It would not run",
    {
        "would_run": False,
        "code": "condition_false",
        "reason": "The condition does not hold: {{ trigger.item.total > 100 }} with trigger.item.total is 12.",
        "operands": [{"expression": "trigger.item.total", "value": 12}],
        "trigger": {
            "kind": "email",
            "trigger_id": "0b0e8b1c-2f3d-4c55-9a44-6f1f4f1c2f11",
            "key": "test",
            "item": {"total": 12},
            "received_at": "2026-11-23T08:00:04.412Z",
        },
        "inputs": {},
        "problems": [],
        "sample": {"id": None, "at": None, "is_cut": False},
        "run_id": None,
    },
    response_only=True,
    status_codes=["200"],
)
_CONFLICT = "no_sample: nothing has come yet; sample_cut: too large to be kept whole; workflow_inactive."


@extend_schema(tags=["Triggers"], parameters=[TRIGGER_ID])
class TrialViewSet(ScopedViewSet):
    """Trying a trigger."""

    queryset = Trigger.objects.all()
    parser_classes = (JsonParser,)
    creator_may = True
    permissions = {"test": Permission.TRIGGERS_READ}

    @extend_schema(
        summary="Try a trigger",
        request=TrialRequest,
        responses={200: TrialShape, 202: TrialShape, 409: OpenApiResponse(description=_CONFLICT)},
        parameters=[IDEMPOTENCY_KEY],
        examples=[_REQUEST, _ANSWER],
    )
    def test(self, request: Request, id: UUID) -> Response:
        """Say whether a trigger would start a run with something, why, and what the run would see.

        Without a body: the newest thing that came; the next slot of a schedule. With `"run": true` a test run is
        started (202): it takes `runs:execute` and counts in no statistics. Nothing else is written.
        """
        asked = TrialRequest(data=request.data)
        asked.is_valid(raise_exception=True)
        said = dict(asked.validated_data)
        if {"sample_id", "data"} <= said.keys():
            raise InvalidInput.from_problems([Problem("invalid", "Send sample_id or data, not both.", "/data")])
        chosen = {"sample_id": said.get("sample_id"), "data": said.get("data", NOTHING)}
        if not said["run"]:
            return Response(_told(trials.evaluate(self.caller, id, **chosen)))

        def work() -> Answer:
            trial = trials.start(self.caller, id, **chosen)
            return Answer(status.HTTP_202_ACCEPTED, _told(trial), {})

        answer = once(request, self.caller, work)
        extra = REPLAYED if answer.is_replay else {}
        return Response(answer.body, answer.status, headers={**answer.headers, **extra})


def _told(trial: Trial) -> dict[str, Any]:
    sample = trial.sample
    return {
        "would_run": trial.would_run,
        "code": trial.code,
        "reason": trial.reason,
        "operands": trial.judged.operands,
        "trigger": sample.trigger,
        "inputs": trial.inputs,
        "problems": [{"code": one.code, "message": one.message, "pointer": one.pointer} for one in trial.problems],
        "sample": {"id": sample.id, "at": sample.at, "is_cut": sample.is_cut},
        "run_id": trial.run_uid,
    }
