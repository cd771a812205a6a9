"""What runs, steps and log lines look like, for the OpenAPI document. `run_shape.py` makes them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from automation.engine.kinds import Effect, ErrorClass
from automation.engine.status import RunStatus, StepStatus, WaitKind
from automation.models import RunMode
from automation.services import effects, waits

RUN_STATUSES = [status.word for status in RunStatus]
STEP_STATUSES = [*(status.word for status in StepStatus), "running"]
LEVELS = ["debug", "info", "warning", "error"]
EFFECTS = [effect.value for effect in Effect if effect is not Effect.PURE]


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
    step = serializers.CharField(required=False, allow_null=True)
    attempt = serializers.IntegerField(required=False)
    details = serializers.DictField(required=False, help_text="More to know, by type of error.")

    def get_fields(self) -> dict[str, Any]:
        """With a field that cannot be written as one in Python."""
        words = "What kind of failure; transient ones are tried again."
        known = [one.value for one in ErrorClass]
        return {**super().get_fields(), "class": serializers.ChoiceField(known, required=False, help_text=words)}


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
    called_by_path = serializers.CharField(allow_null=True, help_text="The step that called it.")
    depth = serializers.IntegerField(help_text="How many calls stand above it.")
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


class ProgressShape(serializers.Serializer[Any]):
    """How far a loop is, in items."""

    items = serializers.IntegerField(allow_null=True, help_text="How many there are; null before the loop has begun.")
    succeeded = serializers.IntegerField()
    failed = serializers.IntegerField()
    skipped = serializers.IntegerField()
    active = serializers.IntegerField(help_text="Started and not ended.")


class StepShape(serializers.Serializer[Any]):
    """A step of a run. Steps that have not started have no row."""

    path = serializers.CharField(
        help_text="The step's id, or loop[17].step inside a loop. Items of a loop are folded: loop[0-99] is a batch."
    )
    kind = serializers.CharField()
    status = serializers.ChoiceField(STEP_STATUSES)
    attempt = serializers.IntegerField()
    is_kept = serializers.BooleanField(help_text="Taken over from the run this one retries.")
    port = serializers.CharField(allow_null=True, help_text="The outcome a branching step took.")
    effect = serializers.ChoiceField(
        EFFECTS, allow_null=True, help_text="What it does outside: read, create …; null when it does nothing there."
    )
    progress = ProgressShape(allow_null=True, help_text="Of a loop: how far it is.")
    output = serializers.JSONField(allow_null=True, help_text="Where `output_ref` stands, only its beginning.")
    output_ref = serializers.CharField(
        allow_null=True, help_text="The whole output is at /runs/{id}/payloads/{output_ref}."
    )
    reason = serializers.JSONField(allow_null=True, help_text="Why it was skipped, or what decided.")
    error = ErrorShape(allow_null=True)
    until = serializers.DateTimeField(allow_null=True, help_text="When a waiting or retrying step goes on.")
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    duration_seconds = serializers.FloatField(allow_null=True)


class ItemShape(serializers.Serializer[Any]):
    """An item of a loop."""

    index = serializers.IntegerField(help_text="Its place in the list, from 0.")
    label = serializers.CharField(allow_null=True, help_text="What people recognise it by.")  # type: ignore[assignment]  # a member of ours has DRF's name
    status = serializers.ChoiceField(STEP_STATUSES)
    attempt = serializers.IntegerField(allow_null=True)
    output = serializers.JSONField(allow_null=True)
    error = ErrorShape(allow_null=True)
    steps = serializers.JSONField(
        allow_null=True, help_text="The rows of the steps inside, while the item has not ended and when it failed."
    )


class WaitedShape(serializers.Serializer[Any]):
    """What one step of a run waits for."""

    path = serializers.CharField()
    type = serializers.ChoiceField(waits.TYPES)
    until = serializers.DateTimeField(allow_null=True, help_text="When it goes on in any case.")
    approval_id = serializers.UUIDField(allow_null=True)
    approval_url = serializers.CharField(allow_null=True, help_text="Where it can be decided.")
    signal = serializers.CharField(allow_null=True, help_text="The name of the signal.")
    run_id = serializers.UUIDField(allow_null=True, help_text="The called run.")
    details = serializers.DictField(help_text="What the step says of it; of a retry the error and the attempt.")


class EffectShape(serializers.Serializer[Any]):
    """Something a run did outside."""

    path = serializers.CharField(help_text="The step, or loop[17].step.")
    kind = serializers.CharField()
    effect = serializers.ChoiceField(effects.WRITES)
    status = serializers.ChoiceField(
        effects.STATUSES, help_text="unknown: it may have happened and nobody knows. Look at the target."
    )
    attempt = serializers.IntegerField()
    is_kept = serializers.BooleanField(help_text="It happened in the run this one retries.")
    idempotency_key = serializers.CharField(
        allow_null=True, help_text="The same for every attempt of this step in this run; null when it was kept."
    )
    sends_key = serializers.BooleanField(allow_null=True, help_text="Whether the target is sent the key.")
    target = serializers.CharField(allow_null=True, help_text="Connection, method and host, as far as they are known.")
    error = serializers.CharField(allow_null=True)
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class LineShape(serializers.Serializer[Any]):
    """A line of a run's log."""

    seq = serializers.IntegerField()
    at = serializers.DateTimeField()
    level = serializers.ChoiceField(LEVELS)
    path = serializers.CharField(help_text="The step that said it.")
    attempt = serializers.IntegerField()
    message = serializers.CharField()
    fields = serializers.DictField(allow_null=True)  # type: ignore[assignment]  # a member of ours has DRF's name


class RunShape(RunSummary):
    """A run, whole."""

    is_pinned = serializers.BooleanField(help_text="Retention leaves it.")
    inputs = serializers.JSONField()
    trigger = serializers.JSONField(allow_null=True, help_text="What the trigger saw.")
    input_ref = serializers.CharField(
        allow_null=True,
        help_text="Inputs and trigger are shortened; all is at /runs/{id}/payloads/{input_ref}.",
    )
    output = serializers.JSONField(allow_null=True, help_text="Where `output_ref` stands, only its beginning.")
    output_ref = serializers.CharField(
        allow_null=True, help_text="The whole output is at /runs/{id}/payloads/{output_ref}."
    )
    response = serializers.JSONField(allow_null=True, help_text="The answer of a `respond` step.")
    waits = WaitedShape(many=True, help_text="What its steps wait for.")
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
