"""/runs and /workflows/{id}/runs: list and read runs; cancel and retry them. What is in a run: `run_parts.py`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from automation.api import run_shape
from automation.api.bodies import NOTHING
from automation.api.parameters import (
    IDEMPOTENCY_KEY,
    WAIT,
    Fields,
    Several,
    chosen,
    read_parameters,
    read_wait_seconds,
)
from automation.api.replay_shape import RetryPreviewShape, show_retry_preview
from automation.api.retry_body import RETRY
from automation.api.run_schema import (
    RUN_MEMBERS,
    RUN_STATUSES,
    SUMMARY_MEMBERS,
    AcceptedRun,
    RunShape,
    RunSummary,
)
from automation.api.starting import start_and_answer
from automation.api.workflows import workflow_id_parameter
from automation.engine.status import RunStatus
from automation.models import Run, RunMode
from automation.services import retries, retry_preview, run_reading, run_search, runs
from automation.services.retries import Repeat
from automation.services.run_search import BY_HAND
from brainops.accounts.api.scope import ScopedViewSet
from brainops.accounts.policy import Permission
from brainops.core import clock

LONGEST = 366 * 86_400  # seconds that a run may be asked for
RUN_ID = OpenApiParameter("id", UUID, OpenApiParameter.PATH, description="The run.")


class RunFilters(Fields):
    """The query parameters of the lists."""

    status = serializers.ListField(
        child=serializers.ChoiceField(RUN_STATUSES), required=False, help_text="Any of these; repeat the parameter."
    )
    version = serializers.CharField(required=False, max_length=32)
    trigger_id = serializers.UUIDField(required=False)
    parent_run_id = serializers.UUIDField(required=False, help_text="Retries of this run.")
    called_by_run_id = serializers.UUIDField(required=False, help_text="Runs that this one called as sub-workflows.")
    has_unknown = serializers.BooleanField(
        required=False, help_text="With an effect of which nobody knows whether it happened; or without one."
    )
    created_by = serializers.UUIDField(required=False)
    created_since = serializers.DateTimeField(required=False)
    created_until = serializers.DateTimeField(required=False)
    trigger_kind = Several(
        serializers.CharField(max_length=50),
        help_text=f"Started by a trigger of any of these kinds; `{BY_HAND}`: by a call, a retry or another run.",
    )
    min_seconds = serializers.FloatField(required=False, min_value=0, max_value=LONGEST, help_text="Took so long.")
    max_seconds = serializers.FloatField(required=False, min_value=0, max_value=LONGEST, help_text="Took no longer.")
    search = serializers.CharField(required=False, max_length=200, help_text="A part of the message of its error.")
    error_class = serializers.CharField(required=False, max_length=50, help_text="`class` of its error.")
    error_type = serializers.CharField(required=False, max_length=100, help_text="`type` of its error.")


class AllRunFilters(RunFilters):
    """Those of the list of all runs."""

    workflow_id = serializers.UUIDField(required=False)
    workflow_tag = Several(serializers.CharField(max_length=50), help_text="Of a workflow with any of these tags.")


class RunState(serializers.Serializer[Any]):
    """What a cancellation did."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(RUN_STATUSES)
    detail = serializers.CharField()
    url = serializers.CharField()


@extend_schema(tags=["Runs"])
class RunViewSet(ScopedViewSet):
    """The runs of the workspace."""

    queryset = Run.objects.all()
    serializer_class = RunSummary
    lookup_field = "uid"
    orderings = dict.fromkeys(("list", "of_workflow", "children"), run_search.ORDERS)
    widen = staticmethod(run_search.shown)
    creator_may = True
    permissions = {
        "list": Permission.RUNS_READ,
        "of_workflow": Permission.RUNS_READ,
        "retrieve": Permission.RUNS_READ,
        "children": Permission.RUNS_READ,
        "cancel": Permission.RUNS_CANCEL,
        "retry": Permission.RUNS_RETRY,
        "retry_preview": Permission.RUNS_RETRY,
    }
    rate_kinds = {"retry": "starts"}

    @extend_schema(summary="List runs", parameters=[AllRunFilters], responses={200: RunSummary(many=True)})
    def list(self, request: Request) -> Response:
        """The runs of the workspace, newest first."""
        return self._page(read_parameters(AllRunFilters, request))

    @extend_schema(
        summary="List the runs of a workflow",
        parameters=[workflow_id_parameter(), RunFilters],
        responses={200: RunSummary(many=True)},
    )
    def of_workflow(self, request: Request, id: UUID) -> Response:
        """The runs of one workflow, newest first."""
        wanted = read_parameters(RunFilters, request)
        run_search.require_workflow(self.caller, id)
        return self._page({**wanted, "workflow_id": id})

    @extend_schema(
        summary="List what a run called", parameters=[RUN_ID, RunFilters], responses={200: RunSummary(many=True)}
    )
    def children(self, request: Request, id: UUID) -> Response:
        """The runs that a run's steps called as sub-workflows, and its failure workflow's run; newest first."""
        wanted = read_parameters(RunFilters, request)
        run_search.require_run(self.caller, id)
        return self._page({**wanted, "called_by_run_id": id})

    @extend_schema(summary="Read a run", parameters=[RUN_ID, Fields], responses={200: RunShape})
    def retrieve(self, request: Request, id: UUID) -> Response:
        """One run with its steps and its first log lines. `fields` spares what is not needed."""
        members = chosen(read_parameters(Fields, request).get("fields"), RUN_MEMBERS)
        page = run_reading.read(
            self.caller,
            id,
            with_steps="steps" in members or "steps_next" in members,
            with_lines="logs" in members or "logs_next" in members,
        )
        shown = run_shape.run(page)
        return Response(shown if members == RUN_MEMBERS else {name: shown[name] for name in members})

    @extend_schema(
        summary="Cancel a run",
        parameters=[RUN_ID],
        request=None,
        responses={
            200: OpenApiResponse(RunState, description="It is cancelled."),
            202: OpenApiResponse(RunState, description="Its worker was told and stops within about two seconds."),
            409: OpenApiResponse(description="It has ended: run_is_final."),
        },
    )
    def cancel(self, request: Request, id: UUID) -> Response:
        """Cancel a run. Steps that are done stay done; no further step starts."""
        NOTHING.read(request)
        run, now = runs.cancel(self.caller, id)
        is_over = now is RunStatus.CANCELLED
        detail = "The run is cancelled." if is_over else "The worker on it was told; it stops at its next chance."
        body = {"id": run.uid, "status": now.word, "detail": detail, "url": run_shape.path_of(run.uid)}
        return Response(body, status.HTTP_200_OK if is_over else status.HTTP_202_ACCEPTED)

    @extend_schema(
        summary="Retry a run",
        parameters=[RUN_ID, WAIT, IDEMPOTENCY_KEY],
        request=RETRY.media,
        responses={
            202: AcceptedRun,
            200: RunShape,
            409: OpenApiResponse(description="run_not_final, nothing_to_retry, workflow_inactive, workflow_archived."),
            429: OpenApiResponse(description="More starts a second than one caller may; see Retry-After."),
        },
    )
    def retry(self, request: Request, id: UUID) -> Response:
        """Start a new run that repeats an ended one; its `parent_run_id` is this run."""
        body = RETRY.read(request)
        wait_seconds = read_wait_seconds(request)
        repeat = Repeat.read(body)
        mode = RunMode.SYNC if wait_seconds else RunMode.ASYNC
        return start_and_answer(
            request,
            self.caller,
            lambda: retries.retry(self.caller, id, repeat, mode=mode),
            wait_seconds=wait_seconds,
            parent=id,
        )

    @extend_schema(
        summary="Preview a retry",
        parameters=[RUN_ID],
        request=RETRY.media,
        responses={200: RetryPreviewShape, 409: OpenApiResponse(description="run_not_final, nothing_to_retry.")},
    )
    def retry_preview(self, request: Request, id: UUID) -> Response:
        """What the same retry would keep, do again, and repeat outside. Nothing is started."""
        body = RETRY.read(request)
        return Response(show_retry_preview(retry_preview.preview(self.caller, id, Repeat.read(body))))

    def _page(self, wanted: dict[str, Any]) -> Response:
        members = chosen(wanted.pop("fields", None), SUMMARY_MEMBERS)
        now = clock.now()
        page: Any = self.paginate_queryset(run_search.find_rows(self.caller, **wanted)) or []
        rows = [run_shape.summary(row, now) for row in page]
        return self.get_paginated_response([{name: row[name] for name in members} for row in rows])
