"""How figures of runs are shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from rest_framework import serializers

from automation.engine.status import RunStatus
from automation.services.figures import Failure, Period, Share, Stretch, Summary
from brainops.core.api.serializers import ClosedSerializer

ENDED = [status for status in RunStatus if status.is_final]


class PeriodParameter(ClosedSerializer):
    """`?period=7d`."""

    period = serializers.ChoiceField(
        [period.value for period in Period],
        required=False,
        default=Period.DAY.value,
        help_text="How far back, with the present hour (24h) or day. In UTC.",
    )


class SpanShape(serializers.Serializer[Any]):
    """A stretch of time."""

    period = serializers.ChoiceField([period.value for period in Period])
    since = serializers.DateTimeField()
    until = serializers.DateTimeField(help_text="Exclusive: the end of the present hour or day.")
    unit = serializers.ChoiceField(["hour", "day"], help_text="What `series` counts by.")


class EndedCountsShape(serializers.Serializer[Any]):
    """Ended runs by status."""

    succeeded = serializers.IntegerField()
    failed = serializers.IntegerField()
    cancelled = serializers.IntegerField()
    timed_out = serializers.IntegerField()


class DurationsShape(serializers.Serializer[Any]):
    """Seconds from the first claim to the end, of runs that were not cancelled. Percentiles are right to a tenth."""

    p50 = serializers.FloatField(allow_null=True)
    p95 = serializers.FloatField(allow_null=True)
    p99 = serializers.FloatField(allow_null=True)
    average = serializers.FloatField(allow_null=True)
    longest = serializers.FloatField(allow_null=True)


class SummaryShape(serializers.Serializer[Any]):
    """Runs that ended in a stretch of time."""

    total = serializers.IntegerField()
    by_status = EndedCountsShape()
    success_rate = serializers.FloatField(
        allow_null=True, help_text="Of those that succeeded, failed or timed out; cancelled ones do not count."
    )
    duration_seconds = DurationsShape()


class PlaceShape(serializers.Serializer[Any]):
    """One hour or day."""

    at = serializers.DateTimeField(help_text="Its beginning.")
    total = serializers.IntegerField()
    by_status = EndedCountsShape()


class ShareShape(serializers.Serializer[Any]):
    """What one workflow did."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    workspace_id = serializers.UUIDField()
    runs = serializers.IntegerField()
    succeeded = serializers.IntegerField()
    failed = serializers.IntegerField()
    average_seconds = serializers.FloatField()
    longest_seconds = serializers.FloatField()


class FailureShape(serializers.Serializer[Any]):
    """Failed runs with the same type of error, among the newest 2,000 failed ones."""

    type = serializers.CharField()
    error_class = serializers.CharField(help_text="transient, permanent, configuration, … or unknown.")
    runs = serializers.IntegerField()
    last_at = serializers.DateTimeField()


def span(period: Period, stretch: Stretch) -> dict[str, Any]:
    """The stretch that figures are about."""
    return {"period": period.value, "since": stretch.since, "until": stretch.until, "unit": stretch.unit}


def summary(found: Summary) -> dict[str, Any]:
    """Counts and durations."""
    return {
        "total": found.total,
        "by_status": counts(found.counts),
        "success_rate": _rounded(found.success_rate),
        "duration_seconds": {
            "p50": _rounded(found.p50_seconds),
            "p95": _rounded(found.p95_seconds),
            "p99": _rounded(found.p99_seconds),
            "average": _rounded(found.average_seconds),
            "longest": _rounded(found.longest_seconds),
        },
    }


def counts(found: Counter[RunStatus]) -> dict[str, int]:
    """Ended runs by status."""
    return {status.word: found[status] for status in ENDED}


def places(found: Iterable[tuple[datetime, Counter[RunStatus]]]) -> list[dict[str, Any]]:
    """The series."""
    return [{"at": at, "total": counted.total(), "by_status": counts(counted)} for at, counted in found]


def share(found: Share) -> dict[str, Any]:
    """What one workflow did."""
    return {
        "id": found.workflow_id,
        "name": found.name,
        "workspace_id": found.workspace_id,
        "runs": found.runs,
        "succeeded": found.succeeded,
        "failed": found.failed,
        "average_seconds": round(found.average_seconds, 3),
        "longest_seconds": round(found.longest_seconds, 3),
    }


def failure(found: Failure) -> dict[str, Any]:
    """Failed runs with the same type of error."""
    return {"type": found.type, "error_class": found.error_class, "runs": found.runs, "last_at": found.last_at}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
