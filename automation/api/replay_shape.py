"""How the API shows replays, their items and their previews, and previews of single retries."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from rest_framework import serializers

from automation.api.run_schema import EFFECTS
from automation.engine.status import RunStatus
from automation.models import Replay, ReplayItem, ReplayState
from automation.services.replays import ReplayPreview
from automation.services.retry_preview import Preview


class CountsShape(serializers.Serializer[Any]):
    """Runs of a replay by what became of them."""

    total = serializers.IntegerField()
    started = serializers.IntegerField()
    refused = serializers.IntegerField()
    waiting = serializers.IntegerField()


class ReplayShape(serializers.Serializer[Any]):
    """An order to repeat many runs or deliveries."""

    id = serializers.UUIDField()
    source = serializers.CharField(  # type: ignore[assignment]  # a member of the answer; fields have one of this name
        help_text="runs, webhook_events, or slots of schedules."
    )
    state = serializers.ChoiceField(ReplayState.choices)
    options = serializers.DictField(help_text="from, version, inputs: what each retry takes.")
    per_minute = serializers.IntegerField()
    runs = CountsShape()
    created_by = serializers.UUIDField(allow_null=True)
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    url = serializers.CharField()


class RefusalShape(serializers.Serializer[Any]):
    """Why a run was not repeated."""

    code = serializers.CharField()
    message = serializers.CharField()


class ReplayItemShape(serializers.Serializer[Any]):
    """A run of a replay."""

    run_id = serializers.UUIDField(allow_null=True, help_text="The run to repeat; null where it is none.")
    subject_id = serializers.UUIDField(allow_null=True, help_text="Else the thing to repeat, such as a webhook event.")
    status = serializers.ChoiceField(["waiting", "started", "refused"])
    new_run_id = serializers.UUIDField(allow_null=True, help_text="The run that repeats it.")
    new_run_status = serializers.CharField(allow_null=True)
    error = RefusalShape(allow_null=True)


class PreviewShape(serializers.Serializer[Any]):
    """What a replay would do."""

    runs = serializers.IntegerField()
    looked_at = serializers.IntegerField(help_text="How many of them were planned; the counts below are of these.")
    is_sample = serializers.BooleanField(help_text="True when there are more runs than were looked at.")
    refused = serializers.DictField(
        child=serializers.IntegerField(), help_text="Runs that cannot be repeated, by code."
    )
    kept_steps = serializers.IntegerField()
    repeats = serializers.DictField(
        child=serializers.IntegerField(), help_text="Effects that would happen a second time, by effect."
    )
    firsts = serializers.DictField(
        child=serializers.IntegerField(), help_text="Writes that may come for the first time, by effect."
    )


class RepeatedShape(serializers.Serializer[Any]):
    """A write that a retry would do."""

    path = serializers.CharField()
    kind = serializers.CharField()
    effect = serializers.ChoiceField(EFFECTS)
    has_happened = serializers.BooleanField(help_text="In the run to repeat it happened, or may have.")
    was = serializers.CharField(allow_null=True, help_text="How sure that is: see the effects of a run.")
    sends_key = serializers.BooleanField(
        allow_null=True, help_text="Whether the target is sent an idempotency key. A new run has new keys."
    )
    target = serializers.CharField(allow_null=True)


class RetryPreviewShape(serializers.Serializer[Any]):
    """What a retry would do."""

    version = serializers.CharField(help_text="The version it would run.")
    kept = serializers.ListField(child=serializers.CharField(), help_text="Paths whose results stay.")
    again = serializers.ListField(child=serializers.CharField(), help_text="Steps and items that go again.")
    effects = RepeatedShape(many=True)
    repeats = serializers.DictField(
        child=serializers.IntegerField(), help_text="Effects that would happen a second time, by effect."
    )
    note = serializers.CharField()


NOTE = "The new run has idempotency keys of its own: a target takes a repeated effect for a new one."


def show(replay: Replay) -> dict[str, Any]:
    """A replay."""
    done = replay.started + replay.refused
    return {
        "id": replay.id,
        "source": replay.source,
        "state": replay.state,
        "options": {name: replay.options[name] for name in ("from", "version", "inputs") if name in replay.options},
        "per_minute": replay.per_minute,
        "runs": {
            "total": replay.total,
            "started": replay.started,
            "refused": replay.refused,
            "waiting": replay.total - done,
        },
        "created_by": replay.created_by_id,
        "created_at": replay.created_at,
        "finished_at": replay.finished_at,
        "url": f"{settings.BRAINOPS_API_PREFIX}/replays/{replay.id}",
    }


def show_item(item: ReplayItem) -> dict[str, Any]:
    """One run of a replay."""
    word = "waiting" if not item.is_done else "refused" if item.error else "started"
    return {
        "run_id": item.run.uid if item.run else None,
        "subject_id": item.subject_id,
        "status": word,
        "new_run_id": item.new_run.uid if item.new_run else None,
        "new_run_status": RunStatus(item.new_run.status).word if item.new_run else None,
        "error": item.error,
    }


def show_preview(found: ReplayPreview) -> dict[str, Any]:
    """What a replay would do."""
    return {
        "runs": found.runs,
        "looked_at": found.looked_at,
        "is_sample": found.is_sample,
        "refused": found.refused,
        "kept_steps": found.kept_steps,
        "repeats": found.repeats,
        "firsts": found.firsts,
    }


def show_retry_preview(found: Preview) -> dict[str, Any]:
    """What a retry would do."""
    return {
        "version": found.version,
        "kept": list(found.kept),
        "again": list(found.again),
        "effects": [
            {
                "path": one.path,
                "kind": one.kind,
                "effect": one.effect,
                "has_happened": one.has_happened,
                "was": one.was,
                "sends_key": one.has_key,
                "target": one.target,
            }
            for one in found.effects
        ],
        "repeats": dict(found.repeats),
        "note": NOTE,
    }
