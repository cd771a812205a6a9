"""What runs, steps and log lines look like, for the OpenAPI document. `run_shape.py` makes them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from automation.engine.status import RunStatus, StepStatus, WaitKind
from automation.models import RunMode

RUN_STATUSES = [status.word for status in RunStatus]
STEP_STATUSES = [*(status.word for status in StepStatus), "running"]


class Timing(serializers.Serializer[Any]):
    """Durations in seconds; of a run under way, so far."""

    queued_seconds = serializers.FloatField()
    run_seconds = serializers.FloatField(allow_null=True, help_text="Since it was first claimed.")
    total_seconds = serializers.FloatField()


class Waiting(serializers.Serializer[Any]):
    """What a waiting run waits for."""

    reason = serializers.ChoiceField([kind.word for kind in WaitKind])
    until = serializers.DateTimeField(allow_null=True)


class ErrorShape(serializers.Serializer[Any]):
    """Why a run or a step failed."""

    type = serializers.CharField(help_text="A stable code: http_status, expression, run_timeout.")
    message = serializers.CharField()
    step = serializers.CharField(required=False)
    attempt = serializers.IntegerField(required=False)


class RunSummary(serializers.Serializer[Any]):
    """A run in a list."""

    id = serializers.UUIDField()
    workflow_id = serializers.UUIDField()
    workflow_name = serializers.CharField()
    version = serializers.CharField(help_text="The version it is pinned to.")
    status = serializers.ChoiceField(RUN_STATUSES)
    mode = serializers.ChoiceField([mode.label for mode in RunMode])
    trigger_id = serializers.UUIDField(allow_null=True)
    created_by = serializers.UUIDField(allow_null=True, help_text="The user who asked for it.")
    parent_run_id = serializers.UUIDField(allow_null=True, help_text="The run this one retries.")
    called_by_run_id = serializers.UUIDField(allow_null=True, help_text="The run that called it as a sub-workflow.")
    attempt = serializers.IntegerField(help_text="How often a worker took it up.")
    crashes = serializers.IntegerField(help_text="How often its process died under it.")
    waiting = Waiting(allow_null=True)
    error = ErrorShape(allow_null=True)
    cancel_requested_at = serializers.DateTimeField(allow_null=True)
    deadline_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    timing = Timing()


class StepShape(serializers.Serializer[Any]):
    """A step of a run. Steps that have not started have no row."""

    path = serializers.CharField(help_text="The step's id, or loop[17].step inside a loop.")
    kind = serializers.CharField()
    status = serializers.ChoiceField(STEP_STATUSES)
    attempt = serializers.IntegerField()
    is_kept = serializers.BooleanField(help_text="Taken over from the run this one retries.")
    port = serializers.CharField(allow_null=True, help_text="The outcome a branching step took.")
    output = serializers.JSONField(allow_null=True)
    reason = serializers.JSONField(allow_null=True, help_text="Why it was skipped, or what decided.")
    error = ErrorShape(allow_null=True)
    until = serializers.DateTimeField(allow_null=True, help_text="When a waiting or retrying step goes on.")
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    duration_seconds = serializers.FloatField(allow_null=True)


class LineShape(serializers.Serializer[Any]):
    """A line of a run's log."""

    seq = serializers.IntegerField()
    at = serializers.DateTimeField()
    level = serializers.ChoiceField(["debug", "info", "warning", "error"])
    path = serializers.CharField(help_text="The step that said it.")
    attempt = serializers.IntegerField()
    message = serializers.CharField()
    fields = serializers.DictField(allow_null=True)  # type: ignore[assignment]  # a member of ours has DRF's name


class RunShape(RunSummary):
    """A run, whole."""

    inputs = serializers.JSONField()
    trigger = serializers.JSONField(allow_null=True, help_text="What the trigger saw.")
    output = serializers.JSONField(allow_null=True)
    response = serializers.JSONField(allow_null=True, help_text="The answer of a `respond` step.")
    steps = StepShape(many=True, help_text="In the order they began.")
    steps_next = serializers.CharField(allow_null=True, help_text="Where all steps can be paged, if these are not all.")
    logs = LineShape(many=True, help_text="The first lines.")
    logs_next = serializers.CharField(allow_null=True, help_text="Where all lines can be paged, if these are not all.")


class AcceptedRun(serializers.Serializer[Any]):
    """A run that was accepted."""

    id = serializers.UUIDField()
    workflow_id = serializers.UUIDField()
    version = serializers.CharField()
    status = serializers.ChoiceField(RUN_STATUSES)
    parent_run_id = serializers.UUIDField(allow_null=True)
    created_at = serializers.DateTimeField()
    url = serializers.CharField(help_text="Where the run can be read.")


SUMMARY_MEMBERS = tuple(RunSummary().fields)
RUN_MEMBERS = tuple(RunShape().fields)
