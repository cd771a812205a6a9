"""GET /metrics: figures of the caller's own runs."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from automation.api import figures_shape
from automation.api.figures_shape import (
    FailureShape,
    PeriodParameter,
    PlaceShape,
    ShareShape,
    SpanShape,
    SummaryShape,
)
from automation.api.parameters import read_parameters
from automation.engine.status import RunStatus
from automation.services import figures
from automation.services.figures import Own, Period, Stretch
from brainops.accounts.api.scope import CallerView
from brainops.accounts.policy import Permission

MOST_WORKFLOWS = 20


class UnderWayShape(serializers.Serializer[Any]):
    """Runs that have not ended."""

    queued = serializers.IntegerField()
    blocked = serializers.IntegerField()
    suspect = serializers.IntegerField()
    running = serializers.IntegerField()
    waiting = serializers.IntegerField()


class OwnFigures(SummaryShape):
    """Figures of the caller's own runs."""

    span = SpanShape()
    under_way = UnderWayShape(help_text="Now.")
    previous = SummaryShape(help_text="The stretch of the same length before.")
    series = PlaceShape(many=True)
    workflows = ShareShape(many=True, help_text="Those with the most runs, 20 at most.")
    failures = FailureShape(many=True)


class MetricsView(CallerView):
    """Figures of what the caller has running here."""

    permissions = {"get": Permission.RUNS_READ}

    @extend_schema(
        summary="Figures of my runs", tags=["Health"], parameters=[PeriodParameter], responses={200: OwnFigures}
    )
    def get(self, request: Request) -> Response:
        """Counts, success rate and durations of your runs in this workspace.

        Yours are the runs that you asked for and the runs of the workflows that you own.
        """
        period = Period(read_parameters(PeriodParameter, request).get("period", Period.DAY))
        stretch = Stretch.of(period)
        own = Own(self.caller.workspace(), self.caller.user_id)
        now = figures.own_under_way(own)
        body = {
            "span": figures_shape.span(period, stretch),
            **figures_shape.summary(figures.summary(stretch, own)),
            "under_way": {status.word: now[status] for status in RunStatus if not status.is_final},
            "previous": figures_shape.summary(figures.summary(stretch.before, own)),
            "series": figures_shape.places(figures.series(stretch, own)),
            "workflows": [figures_shape.share(one) for one in figures.own_busiest(stretch, own, most=MOST_WORKFLOWS)],
            "failures": [figures_shape.failure(one) for one in figures.failures(stretch, own)],
        }
        return Response(body)
