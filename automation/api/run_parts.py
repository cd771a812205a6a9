"""/runs/{id}/…: the steps of a run, the items of its loops, what it did outside, its log. Each in pages."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from automation.api import run_shape
from automation.api.forward import forward, page_size, read_after
from automation.api.parameters import read_parameters
from automation.api.run_schema import LEVELS, STEP_STATUSES, EffectShape, ItemShape, LineShape, StepShape
from automation.engine.containers import BATCH
from automation.models import Run
from automation.services import effects, loops, run_reading, run_story
from automation.services.run_reading import LINE_COLUMNS, RUNNING, STEP_COLUMNS, in_order
from automation.store.read_run import StepRow
from brainops.accounts.api.scope import ScopedViewSet
from brainops.accounts.policy import Permission
from brainops.core.api.serializers import ClosedSerializer

RUN_ID = OpenApiParameter("id", UUID, OpenApiParameter.PATH, description="The run.")
LOOP = OpenApiParameter(
    "path", str, OpenApiParameter.PATH, description="The loop: its step's id, or outer[3].inner inside another one."
)
LIMIT = OpenApiParameter("limit", int, description="Rows of a page.")
CURSOR = OpenApiParameter("cursor", str, description="From `next` of the page before.")
PATH_HELP = "The step's id, or loop[17].step inside a loop."


class StepFilters(ClosedSerializer):
    """Which steps."""

    status = serializers.ListField(
        child=serializers.ChoiceField(STEP_STATUSES), required=False, help_text="Any of these; repeat the parameter."
    )
    path = serializers.CharField(required=False, max_length=500, help_text="This step and what lies inside it.")


class ItemFilters(ClosedSerializer):
    """Which items."""

    status = serializers.ChoiceField(loops.ITEM_STATUSES, required=False)


class EffectFilters(ClosedSerializer):
    """Which effects."""

    status = serializers.ChoiceField(effects.STATUSES, required=False)


class LineFilters(ClosedSerializer):
    """Which lines."""

    path = serializers.CharField(required=False, max_length=500, help_text="This step and what lies inside it.")
    level = serializers.ListField(
        child=serializers.ChoiceField(LEVELS), required=False, help_text="Any of these; repeat the parameter."
    )
    attempt = serializers.IntegerField(required=False, min_value=1, max_value=32767)
    since = serializers.DateTimeField(required=False, help_text="Lines from this instant on.")


@extend_schema(tags=["Runs"])
class RunPartsViewSet(ScopedViewSet):
    """What is in a run."""

    queryset = Run.objects.all()
    serializer_class = StepShape
    page_ordering: tuple[str, ...] = ("path",)
    uncounted = {"items", "effects"}  # gathered from batches, not rows of a table
    permissions = {
        "steps": Permission.RUNS_READ,
        "items": Permission.RUNS_READ,
        "effects": Permission.RUNS_READ,
        "logs": Permission.RUNS_READ,
    }

    @extend_schema(
        summary="List the steps of a run", parameters=[RUN_ID, StepFilters], responses={200: StepShape(many=True)}
    )
    def steps(self, request: Request, id: UUID) -> Response:
        """Every step row, by path, with the batches of loops. Steps a worker is on now stand on the first page."""
        wanted = read_parameters(StepFilters, request)
        head, live = run_reading.read_live(self.caller, id)
        only = wanted.get("status", ())
        page = self.paginate_queryset(run_reading.step_rows(head.id, **wanted)) or [] if only != [RUNNING] else []
        rows = [StepRow._make(row) for row in in_order(page, STEP_COLUMNS)]
        counts = loops.batch_progress(head.id, [row.path for row in rows if row.kind == BATCH])
        shown = [run_shape.step(row, counts.get(row.path)) for row in rows]
        is_first = "cursor" not in request.query_params and (not only or RUNNING in only) and "path" not in wanted
        merged = run_shape.merged(shown, live, with_new=is_first)
        if only == [RUNNING]:
            return forward(request, merged, next_after=None)
        return self.get_paginated_response(merged)

    @extend_schema(
        summary="List the items of a loop",
        parameters=[RUN_ID, LOOP, ItemFilters, LIMIT, CURSOR],
        responses={200: ItemShape(many=True)},
    )
    def items(self, request: Request, id: UUID, path: str) -> Response:
        """The items of a `for_each` in their order, over all its batches; of a `while` the pass under way."""
        wanted = read_parameters(ItemFilters, request)
        limit, after = page_size(request), read_after(request, first=-1)
        run_id = run_reading.inner_id(self.caller, id)
        page = loops.items(run_id, path, after=after, limit=limit, **wanted)
        return forward(request, [run_shape.item(one) for one in page.items], next_after=page.next_after)

    @extend_schema(
        summary="List the effects of a run",
        parameters=[RUN_ID, EffectFilters, LIMIT, CURSOR],
        responses={200: EffectShape(many=True)},
    )
    def effects(self, request: Request, id: UUID) -> Response:
        """What it created, updated, deleted and sent, in the order it began, with the key its targets know it by."""
        wanted = read_parameters(EffectFilters, request)
        limit, after = page_size(request), read_after(request, first=-1)
        page = effects.ledger(self.caller, id, after=after, limit=limit, **wanted)
        return forward(request, [run_shape.effect(row) for row in page.rows], next_after=page.next_after)

    @extend_schema(
        summary="List the log of a run", parameters=[RUN_ID, LineFilters], responses={200: LineShape(many=True)}
    )
    def logs(self, request: Request, id: UUID) -> Response:
        """Every line, in order. How the run itself began and ended is told from its row."""
        self.page_ordering = ("seq",)
        wanted = read_parameters(LineFilters, request)
        head, _live = run_reading.read_live(self.caller, id)
        page: list[dict[str, Any]] = self.paginate_queryset(run_reading.log_rows(head.id, **wanted)) or []
        told = [row for row in run_story.of(head) if run_story.is_wanted(row, **wanted)]
        before = [row for row in told if run_story.is_opening(row) and "cursor" not in request.query_params]
        rows = [*before, *in_order(page, LINE_COLUMNS)]
        response = self.get_paginated_response([run_shape.line(row) for row in rows])
        if response.data["next"] is None:
            response.data["results"] += [run_shape.line(row) for row in told if not run_story.is_opening(row)]
        return response
