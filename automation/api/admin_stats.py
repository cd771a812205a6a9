"""GET /admin/stats: figures of the whole installation, for staff."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from automation.api import figures_shape
from automation.api.figures_shape import (
    EndedCountsShape,
    FailureShape,
    PeriodParameter,
    PlaceShape,
    ShareShape,
    SpanShape,
    SummaryShape,
)
from automation.api.parameters import read_parameters
from automation.models import WorkerState
from automation.services import figures, inventory, statistics
from automation.services.figures import Period, Stretch
from brainops.accounts.api.scope import CallerView
from brainops.core.api.public import STAFF


class InventoryShape(serializers.Serializer[Any]):
    """What there is."""

    workspaces = serializers.IntegerField()
    users = serializers.IntegerField()
    active_users = serializers.IntegerField()
    workflows = serializers.IntegerField()
    active_workflows = serializers.IntegerField(help_text="Switched on and not archived.")
    archived_workflows = serializers.IntegerField()
    triggers = serializers.IntegerField()
    active_triggers = serializers.IntegerField()


class QueueShape(serializers.Serializer[Any]):
    """What is under way at this moment."""

    queued = serializers.IntegerField()
    running = serializers.IntegerField()
    waiting = serializers.IntegerField()
    blocked = serializers.IntegerField()
    suspect = serializers.IntegerField()
    oldest_seconds = serializers.FloatField(allow_null=True, help_text="How long the next queued run has waited.")


class WorkerShape(serializers.Serializer[Any]):
    """A worker that is there."""

    name = serializers.CharField()
    state = serializers.ChoiceField([state.label for state in WorkerState])
    slots = serializers.IntegerField()
    release = serializers.CharField()
    started_at = serializers.DateTimeField()
    silent_seconds = serializers.FloatField(help_text="Since its last heartbeat.")


class Stats(SummaryShape):
    """Figures of the whole installation."""

    span = SpanShape()
    previous = SummaryShape(help_text="The stretch of the same length before.")
    ever = EndedCountsShape(help_text="All runs that ever ended, pruned ones too.")
    inventory = InventoryShape()
    queue = QueueShape()
    workers = WorkerShape(many=True)
    series = PlaceShape(many=True)
    slowest = ShareShape(many=True, help_text="The workflows whose runs took longest on average, 10 at most.")
    failures = FailureShape(many=True)


class StatsView(CallerView):
    """The whole installation in numbers."""

    permissions = {"get": STAFF}

    @extend_schema(
        summary="Figures of the installation", tags=["Admin"], parameters=[PeriodParameter], responses={200: Stats}
    )
    def get(self, request: Request) -> Response:
        """Totals, series, durations, failures, the queue and the workers over all workspaces. For staff."""
        period = Period(read_parameters(PeriodParameter, request).get("period", Period.DAY))
        stretch = Stretch.of(period)
        body: dict[str, Any] = {
            "span": figures_shape.span(period, stretch),
            **figures_shape.summary(figures.summary(stretch)),
            "previous": figures_shape.summary(figures.summary(stretch.before)),
            "ever": figures_shape.counts(figures.ever()),
            "inventory": inventory.count(),
            "queue": asdict(statistics.backlog()),
            "workers": [_worker(worker) for worker in statistics.live_workers()],
            "series": figures_shape.places(figures.series(stretch)),
            "slowest": [figures_shape.share(one) for one in figures.slowest(stretch)],
            "failures": [figures_shape.failure(one) for one in figures.failures(stretch)],
        }
        return Response(body)


def _worker(worker: Any) -> dict[str, Any]:
    return {
        "name": worker.name,
        "state": WorkerState(worker.state).label,
        "slots": worker.slots,
        "release": worker.release,
        "started_at": worker.started_at,
        "silent_seconds": round(worker.silence.total_seconds(), 1),
    }
