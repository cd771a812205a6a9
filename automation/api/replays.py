"""/replays: retry many runs at once, at a bounded pace."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from automation.api.bodies import NOTHING, Body
from automation.api.idempotent import REPLAYED, once
from automation.api.parameters import IDEMPOTENCY_KEY, read_parameters
from automation.api.replay_shape import PreviewShape, ReplayItemShape, ReplayShape, show, show_item, show_preview
from automation.api.retry_body import RETRY_PROPERTIES
from automation.api.run_schema import RUN_STATUSES
from automation.models import Replay
from automation.services import replays
from automation.services.idempotency import Answer
from automation.services.replay_selection import FINAL_WORDS, Wanted
from automation.services.replays import DEFAULT_PER_MINUTE, MOST_PER_MINUTE, Order
from automation.services.retries import Repeat
from brainops.accounts.api.scope import ScopedViewSet
from brainops.accounts.policy import Permission
from brainops.core.api.serializers import ClosedSerializer
from brainops.core.errors import InvalidInput, Problem

REPLAY_ID = OpenApiParameter("id", UUID, OpenApiParameter.PATH, description="The replay.")
UUID_TEXT = {"type": "string", "format": "uuid", "maxLength": 36}
BODY = Body(
    {
        "runs": {"type": "array", "items": UUID_TEXT, "minItems": 1, "maxItems": 100_000, "uniqueItems": True},
        "filter": {
            "type": "object",
            "additionalProperties": False,
            "description": "Runs that have ended and fit all of this.",
            "properties": {
                "workflow_id": UUID_TEXT,
                "status": {"type": "array", "items": {"enum": list(FINAL_WORDS)}, "minItems": 1},
                "version": {"type": "string", "maxLength": 32},
                "trigger_id": UUID_TEXT,
                "has_unknown": {"type": "boolean"},
                "created_since": {"type": "string", "format": "date-time", "maxLength": 40},
                "created_until": {"type": "string", "format": "date-time", "maxLength": 40},
            },
        },
        **RETRY_PROPERTIES,
        "per_minute": {
            "type": "integer",
            "minimum": 1,
            "maximum": MOST_PER_MINUTE,
            "default": DEFAULT_PER_MINUTE,
            "description": "How many runs are started a minute.",
        },
    }
)


class FilterValues(serializers.Serializer[Any]):
    """The filter with its ids and instants read."""

    workflow_id = serializers.UUIDField(required=False)
    status = serializers.ListField(child=serializers.ChoiceField(RUN_STATUSES), required=False)
    version = serializers.CharField(required=False)
    trigger_id = serializers.UUIDField(required=False)
    has_unknown = serializers.BooleanField(required=False)
    created_since = serializers.DateTimeField(required=False)
    created_until = serializers.DateTimeField(required=False)


class ItemFilters(ClosedSerializer):
    """Which runs of a replay."""

    status = serializers.ChoiceField(["waiting", "started", "refused"], required=False)


@extend_schema(tags=["Runs"])
class ReplayViewSet(ScopedViewSet):
    """The replays of the workspace."""

    queryset = Replay.objects.all()
    serializer_class = ReplayShape
    page_ordering: tuple[str, ...] = ("-created_at", "-id")
    creator_may = True
    permissions = {
        "list": Permission.RUNS_READ,
        "create": Permission.RUNS_RETRY,
        "preview": Permission.RUNS_RETRY,
        "retrieve": Permission.RUNS_READ,
        "items": Permission.RUNS_READ,
        "cancel": Permission.RUNS_RETRY,
    }
    rate_kinds = {"create": "starts"}

    @extend_schema(summary="List replays", responses={200: ReplayShape(many=True)})
    def list(self, request: Request) -> Response:
        """The replays of the workspace, newest first."""
        read_parameters(ClosedSerializer, request)
        page = self.paginate_queryset(replays.visible(self.caller)) or []
        return self.get_paginated_response([show(replay) for replay in page])

    @extend_schema(
        summary="Replay many runs", parameters=[IDEMPOTENCY_KEY], request=BODY.media, responses={202: ReplayShape}
    )
    def create(self, request: Request) -> Response:
        """Retry many runs: those named, or those a filter finds. Each becomes an item with an outcome of its own."""
        order = read_order(request)

        def work() -> Answer:
            body = show(replays.start(self.caller, order))
            return Answer(status.HTTP_202_ACCEPTED, body, {"Location": body["url"]})

        answer = once(request, self.caller, work)
        extra = REPLAYED if answer.is_replay else {}
        return Response(answer.body, answer.status, headers={**answer.headers, **extra})

    @extend_schema(summary="Preview a replay", request=BODY.media, responses={200: PreviewShape})
    def preview(self, request: Request) -> Response:
        """What a replay would keep and repeat outside. Nothing is started."""
        return Response(show_preview(replays.preview(self.caller, read_order(request))))

    @extend_schema(summary="Read a replay", parameters=[REPLAY_ID], responses={200: ReplayShape})
    def retrieve(self, request: Request, id: UUID) -> Response:
        """How far a replay is."""
        return Response(show(self.get_object()))

    @extend_schema(
        summary="List the runs of a replay",
        parameters=[REPLAY_ID, ItemFilters],
        responses={200: ReplayItemShape(many=True)},
    )
    def items(self, request: Request, id: UUID) -> Response:
        """Each run with the run that repeats it, or why there is none."""
        self.page_ordering = ("id",)
        rows = replays.items(self.caller, id, **read_parameters(ItemFilters, request))
        return self.get_paginated_response([show_item(item) for item in self.paginate_queryset(rows) or []])

    @extend_schema(
        summary="Cancel a replay",
        parameters=[REPLAY_ID],
        request=None,
        responses={200: ReplayShape, 409: OpenApiResponse(description="It is over: replay_is_over.")},
    )
    def cancel(self, request: Request, id: UUID) -> Response:
        """Start no further run. Runs that were started go on."""
        NOTHING.read(request)
        return Response(show(replays.cancel(self.caller, id)))


def read_order(request: Request) -> Order:
    """The order in a body. Raises InvalidInput."""
    body = BODY.read(request)
    if ("runs" in body) == ("filter" in body):
        said = "Say which runs: either `runs` (ids) or `filter`."
        raise InvalidInput(said, problems=[Problem("which_runs", said, "")])
    wanted = (
        Wanted(runs=read_uids(body["runs"]))
        if "runs" in body
        else Wanted(filters=read_filter(FilterValues, body["filter"]))
    )
    return Order(wanted, Repeat.read(body), body.get("per_minute", DEFAULT_PER_MINUTE))


def read_uids(texts: list[str], *, place: str = "runs", what: str = "a run") -> list[UUID]:
    """The ids in a body's list `place`. Raises InvalidInput with every text that is none."""
    found, problems = [], []
    for index, text in enumerate(texts):
        try:
            found.append(UUID(text))
        except ValueError:
            problems.append(Problem("invalid_id", f"{text!r} is no id of {what}.", f"/{place}/{index}"))
    if problems:
        raise InvalidInput.from_problems(problems)
    return found


def read_filter(serializer: type[serializers.Serializer[Any]], given: dict[str, Any]) -> dict[str, Any]:
    """A body's `filter` with its ids and instants read. Raises InvalidInput."""
    values = serializer(data=given)
    if not values.is_valid():
        raise InvalidInput.from_problems(
            Problem("invalid_value", f"{name}: {messages[0]}", f"/filter/{name}")
            for name, messages in values.errors.items()
        )
    return dict(values.validated_data)
