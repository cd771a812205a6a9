"""/workflows/export and /exports: workflows as a file, at once or by a worker."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from automation.api.bodies import Body
from automation.api.bulk import FILTER
from automation.api.bulk_shape import IDS, read_filter, read_ids
from automation.api.idempotent import REPLAYED, once
from automation.api.parameters import IDEMPOTENCY_KEY, read_parameters
from automation.api.transfer_shape import TransferShape, show
from automation.api.workflows import WorkflowFilters, workflow_id_parameter
from automation.models import Direction, Transfer
from automation.services import exports, transfers, workflows
from automation.services.exchange.form import FORMS, export_schema
from automation.services.exports import Stream, Wanted
from automation.services.idempotency import Answer
from brainops.accounts.api.scope import CallerView, ScopedViewSet
from brainops.accounts.policy import Permission
from brainops.core.api.json import AnyAnswer
from brainops.core.api.public import ANY_CALLER
from brainops.core.api.serializers import ClosedSerializer
from brainops.core.errors import InvalidInput, Problem

BODY = Body(
    {
        "ids": IDS,
        "filter": FILTER,
        "all": {
            "type": "boolean",
            "enum": [True],
            "description": "Everything you may export, as without `ids` and `filter`.",
        },
        "versions": {"enum": ["all", "current"], "default": "all", "description": "The whole history, or no history."},
        "triggers": {"type": "boolean", "default": True},
        "format": {"enum": [*FORMS], "default": "json"},
        "async": {"type": "boolean", "default": False, "description": "Have a worker write the file, however small."},
    }
)
EXPORT_ID = OpenApiParameter("id", UUID, OpenApiParameter.PATH, description="The export.")
FILE = {
    (200, form.media_type): OpenApiTypes.BINARY if form.key in ("zip", "ndjson") else OpenApiTypes.OBJECT
    for form in FORMS.values()
}
LATER = OpenApiResponse(TransferShape, description="A worker writes the file; look at `url` for it.")
EXAMPLES = [
    OpenApiExample(
        "Everything with a tag, as YAML",
        value={"filter": {"tag": ["orders"]}, "format": "yaml"},
        request_only=True,
    ),
    OpenApiExample("A large set", value={"all": True, "format": "zip", "async": True}, request_only=True),
]


class SingleExport(ClosedSerializer):
    """The query parameters of one workflow's export."""

    format = serializers.ChoiceField([*FORMS], required=False, help_text="json when nothing is said.")
    versions = serializers.ChoiceField(["all", "current"], required=False, help_text="The history, too, or not.")
    triggers = serializers.BooleanField(required=False, help_text="With its triggers; true when nothing is said.")


class ExportView(CallerView):
    """Workflows as a file."""

    content_negotiation_class = AnyAnswer
    creator_may = True
    permissions = {"post": Permission.WORKFLOWS_EXPORT}
    rate_kinds = {"post": "transfers"}

    @extend_schema(
        summary="Export workflows",
        tags=["Import and export"],
        parameters=[IDEMPOTENCY_KEY],
        request=BODY.media,
        examples=EXAMPLES,
        responses={**FILE, 202: LATER, 409: OpenApiResponse(description="too_many_transfers")},
    )
    def post(self, request: Request) -> HttpResponseBase:
        """A file of workflows with their history and triggers, never with secrets.

        Small sets are sent at once. Larger ones than the installation's limit, or with `async`, are written by a
        worker: 202 with an export whose `download_url` appears when it is done.
        """
        body = BODY.read(request)
        wanted = read_wanted(body)
        if not (body.get("async") or exports.is_large(self.caller, wanted)):
            return file_answer(exports.export(self.caller, wanted))

        def work() -> Answer:
            shown = show(exports.start(self.caller, wanted))
            return Answer(status.HTTP_202_ACCEPTED, shown, {"Location": shown["url"]})

        answer = once(request, self.caller, work)
        extra = REPLAYED if answer.is_replay else {}
        return Response(answer.body, answer.status, headers={**answer.headers, **extra})


class WorkflowExportView(CallerView):
    """One workflow as a file."""

    content_negotiation_class = AnyAnswer
    creator_may = True
    permissions = {"get": Permission.WORKFLOWS_EXPORT}

    @extend_schema(
        summary="Export a workflow",
        tags=["Import and export"],
        parameters=[workflow_id_parameter(), SingleExport],
        responses=FILE,
    )
    def get(self, request: Request, id: UUID) -> HttpResponseBase:
        """One workflow in the format of all exports; `format=yaml` is for reading and for version control."""
        said = read_parameters(SingleExport, request)
        workflows.get_workflow(self.caller, id)
        wanted = Wanted(
            [id], {}, said.get("format", "json"), said.get("versions") != "current", said.get("triggers", True)
        )
        return file_answer(exports.export(self.caller, wanted))


class ExportSchemaView(CallerView):
    """The published schema of the format."""

    permissions = {"get": ANY_CALLER}

    @extend_schema(
        summary="The JSON Schema of exports",
        tags=["Import and export"],
        responses={
            (200, "application/schema+json"): OpenApiResponse(OpenApiTypes.OBJECT, "JSON Schema, draft 2020-12.")
        },
    )
    def get(self, request: Request) -> HttpResponse:
        """What a file of the format `brainops/export`, version 1, may hold."""
        return HttpResponse(orjson.dumps(export_schema()), content_type="application/schema+json")


@extend_schema(tags=["Import and export"])
class ExportViewSet(ScopedViewSet):
    """Exports that a worker writes, or has written."""

    queryset = Transfer.objects.filter(direction=Direction.EXPORT)
    serializer_class = TransferShape
    content_negotiation_class = AnyAnswer
    page_ordering = ("-created_at", "-id")
    creator_may = True
    permissions = {
        "list": Permission.WORKFLOWS_EXPORT,
        "retrieve": Permission.WORKFLOWS_EXPORT,
        "download": Permission.WORKFLOWS_EXPORT,
        "destroy": Permission.WORKFLOWS_EXPORT,
    }

    @extend_schema(summary="List exports", responses={200: TransferShape(many=True)})
    def list(self, request: Request) -> Response:
        """The exports of the workspace that a worker does, newest first, until they expire."""
        page = self.paginate_queryset(transfers.visible(self.caller, Direction.EXPORT)) or []
        return self.get_paginated_response([show(transfer) for transfer in page])

    @extend_schema(summary="Read an export", parameters=[EXPORT_ID], responses={200: TransferShape})
    def retrieve(self, request: Request, id: UUID) -> Response:
        """How far it is, and where its file is."""
        return Response(show(transfers.get(self.caller, Direction.EXPORT, id)))

    @extend_schema(
        summary="Download an export",
        parameters=[EXPORT_ID],
        responses={**FILE, 409: OpenApiResponse(description="not_ready: a worker is still on it, or it failed.")},
    )
    def download(self, request: Request, id: UUID) -> HttpResponseBase:
        """The file."""
        transfer = transfers.get(self.caller, Direction.EXPORT, id)
        form = FORMS[transfer.format]
        pieces = transfers.download(transfer)
        answer = StreamingHttpResponse(pieces, content_type=form.media_type)
        answer.headers["Content-Length"] = str(transfer.size)
        answer.headers["Content-Disposition"] = f'attachment; filename="workflows.{form.suffix}"'
        return answer

    @extend_schema(summary="Delete an export", parameters=[EXPORT_ID], responses={204: None})
    def destroy(self, request: Request, id: UUID) -> Response:
        """Delete an export with its file; one that is under way stops."""
        transfers.delete(self.caller, Direction.EXPORT, id)
        return Response(status=status.HTTP_204_NO_CONTENT)


def read_wanted(body: dict[str, Any]) -> Wanted:
    """What a body asks for. Raises InvalidInput."""
    if sum(name in body for name in ("ids", "filter", "all")) > 1:
        said = "Say which ones in one way: `ids`, `filter` or `all`."
        raise InvalidInput(said, problems=[Problem("which_ones", said, "")])
    ids = read_ids(body["ids"], "/ids") if "ids" in body else None
    filter_ = read_filter(WorkflowFilters, body["filter"]) if "filter" in body else {}
    history, triggers = body.get("versions", "all") == "all", body.get("triggers", True)
    return Wanted(ids, filter_, body.get("format", "json"), history, triggers)


def file_answer(stream: Stream) -> StreamingHttpResponse:
    """The answer that streams a file. What goes wrong on the way breaks it off; such a file is refused at import."""
    answer = StreamingHttpResponse(stream.pieces, content_type=stream.media_type)
    answer.headers["Content-Disposition"] = f'attachment; filename="{stream.filename}"'
    return answer
