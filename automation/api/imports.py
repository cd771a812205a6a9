"""/workflows/import and /imports: a file becomes workflows, at once or by a worker."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from automation.api.file_bodies import form_of, pieces_of
from automation.api.idempotent import REPLAYED, once
from automation.api.parameters import IDEMPOTENCY_KEY, read_parameters
from automation.api.transfer_shape import ImportedShape, ImportShape, TransferShape, show, show_item
from automation.models import Direction, Transfer, TransferState
from automation.services import imports, transfers
from automation.services.exchange.form import FORMS
from automation.services.exchange.plans import Action, Options, Strategy, read_mapping
from automation.services.exchange.reading import File
from automation.services.idempotency import Answer
from automation.services.imports import Outcome
from brainops.accounts.api.scope import CallerView, ScopedViewSet
from brainops.accounts.policy import Permission
from brainops.core import json_gate
from brainops.core.api.serializers import ClosedSerializer
from brainops.core.errors import InvalidInput, Problem

IMPORT_ID = OpenApiParameter("id", UUID, OpenApiParameter.PATH, description="The import.")
LATER = OpenApiResponse(TransferShape, description="A worker does it; look at `url` for how far it is.")
REFUSED = "nothing_imported: all was wanted or nothing, and something cannot be. import_running, too_many_transfers."
FILES = {form.media_type: OpenApiTypes.BINARY for form in FORMS.values()} | {"application/json": OpenApiTypes.OBJECT}
SAMPLE = {
    "format": "brainops/export",
    "format_version": 1,
    "workflows": [
        {
            "name": "Hello",
            "definition": {"schema": 1, "steps": [{"id": "say", "uses": "log", "with": {"message": "Hello"}}]},
        }
    ],
}


class ImportParameters(ClosedSerializer):
    """The query parameters of an import."""

    strategy = serializers.ChoiceField(
        [strategy.value for strategy in Strategy],
        required=False,
        help_text="What becomes of a workflow that is here already. `merge` (when nothing is said): the imported "
        "content comes on top as a new version, tags and meta_data are united, triggers are added. `overwrite`: it "
        "takes the place of all that is there; the history stays. `skip`: it stays as it is.",
    )
    dry_run = serializers.BooleanField(required=False, help_text="Change nothing; say what would become of each.")
    all_or_nothing = serializers.BooleanField(
        required=False, help_text="Import nothing unless every single one can be; 409 nothing_imported otherwise."
    )
    activate = serializers.BooleanField(
        required=False, help_text="Switch on what is on in the file. Else new workflows arrive switched off."
    )
    versions = serializers.ChoiceField(
        ["all", "current"], required=False, help_text="`current`: leave the history in the file out."
    )
    triggers = serializers.BooleanField(required=False, help_text="`false`: leave the triggers in the file out.")
    mapping = serializers.CharField(
        required=False,
        max_length=16_000,
        help_text='Names here for names in the file, as JSON: `{"connections": {"old": "new"}, "variables": {}, '
        '"secrets": {}, "workflows": {}}`.',
    )


class ImportQuery(ImportParameters):
    """All of them: `async` is a name that no Python class can have as an attribute."""

    def get_fields(self) -> dict[str, Any]:
        """The others and `async`."""
        later = serializers.BooleanField(required=False, help_text="Have a worker do it, however small it is.")
        return {**super().get_fields(), "async": later}


class ItemFilters(ClosedSerializer):
    """Which workflows of an import."""

    action = serializers.ChoiceField([action.value for action in Action], required=False)


class ImportView(CallerView):
    """A file becomes workflows."""

    permissions = {"post": Permission.WORKFLOWS_IMPORT}
    rate_kinds = {"post": "transfers"}

    @extend_schema(
        summary="Import workflows",
        tags=["Import and export"],
        parameters=[IDEMPOTENCY_KEY, ImportQuery],
        request={
            form.media_type: OpenApiTypes.OBJECT if form.key == "json" else OpenApiTypes.BINARY
            for form in FORMS.values()
        },
        examples=[OpenApiExample("One workflow", value=SAMPLE, request_only=True, media_type="application/json")],
        responses={200: ImportShape, 202: LATER, 409: OpenApiResponse(description=REFUSED)},
    )
    def post(self, request: Request) -> Response:
        """Import a file of the format `brainops/export`: JSON, NDJSON, YAML or zip, as the Content-Type says.

        Each workflow has a result of its own: created, updated, skipped, unchanged, in conflict or refused, and why.
        Files larger than the installation's limit, or with `async`, are taken in and imported by a worker: 202.
        """
        said = read_parameters(ImportQuery, request)
        is_later = said.pop("async", False)
        options = read_options(said)
        imports.require(self.caller, options)
        form, size, pieces = form_of(request), *pieces_of(request)
        if is_later or size > settings.BRAINOPS_LIMITS["import_now_bytes"]:
            return self._later(request, form, options, pieces)
        return self._now(request, form, options, b"".join(pieces))

    def _now(self, request: Request, form: str, options: Options, body: bytes) -> Response:
        shown_once: dict[int, list[dict[str, Any]]] = {}

        def work() -> Answer:
            outcome = imports.run(self.caller, File(lambda: io.BytesIO(body), form), options)
            shown_once.update(outcome.shown_once)
            return Answer(status.HTTP_200_OK, _shown(outcome))

        said = [options.as_json(), form, hashlib.sha256(body).hexdigest()]
        answer = once(request, self.caller, work, said=said)
        for result in answer.body["results"]:
            if shown_once.get(result["index"]):
                result["shown_once"] = shown_once[result["index"]]
        return Response(answer.body, answer.status, headers=REPLAYED if answer.is_replay else {})

    def _later(self, request: Request, form: str, options: Options, pieces: Iterator[bytes]) -> Response:
        transfer = transfers.create(
            self.caller, Direction.IMPORT, form, options.as_json(), state=TransferState.UPLOADING
        )
        checksum = transfers.upload(transfer, pieces)

        def work() -> Answer:
            shown = show(transfers.release(transfer))
            return Answer(status.HTTP_202_ACCEPTED, shown, {"Location": shown["url"]})

        try:
            answer = once(request, self.caller, work, said=[options.as_json(), form, checksum])
        except BaseException:
            transfer.delete()
            raise
        if answer.is_replay:
            transfer.delete()  # the same file is here already
        return Response(
            answer.body, answer.status, headers={**answer.headers, **(REPLAYED if answer.is_replay else {})}
        )


@extend_schema(tags=["Import and export"])
class ImportViewSet(ScopedViewSet):
    """Imports that a worker does, or has done."""

    queryset = Transfer.objects.filter(direction=Direction.IMPORT)
    serializer_class = TransferShape
    page_ordering: tuple[str, ...] = ("-created_at", "-id")
    permissions = {
        "list": Permission.WORKFLOWS_IMPORT,
        "retrieve": Permission.WORKFLOWS_IMPORT,
        "items": Permission.WORKFLOWS_IMPORT,
        "destroy": Permission.WORKFLOWS_IMPORT,
    }

    @extend_schema(summary="List imports", responses={200: TransferShape(many=True)})
    def list(self, request: Request) -> Response:
        """The imports of the workspace that a worker does, newest first, until they expire."""
        page = self.paginate_queryset(transfers.visible(self.caller, Direction.IMPORT)) or []
        return self.get_paginated_response([show(transfer) for transfer in page])

    @extend_schema(summary="Read an import", parameters=[IMPORT_ID], responses={200: TransferShape})
    def retrieve(self, request: Request, id: UUID) -> Response:
        """How far it is, and what came of it."""
        return Response(show(transfers.get(self.caller, Direction.IMPORT, id)))

    @extend_schema(
        summary="List the workflows of an import",
        parameters=[IMPORT_ID, ItemFilters],
        responses={200: ImportedShape(many=True)},
    )
    def items(self, request: Request, id: UUID) -> Response:
        """What was done with each workflow of the file, in its order."""
        self.page_ordering = ("index",)
        rows = transfers.items(transfers.get(self.caller, Direction.IMPORT, id))
        rows = rows.filter(**read_parameters(ItemFilters, request))
        return self.get_paginated_response([show_item(item) for item in self.paginate_queryset(rows) or []])

    @extend_schema(summary="Delete an import", parameters=[IMPORT_ID], responses={204: None})
    def destroy(self, request: Request, id: UUID) -> Response:
        """Delete an import with its file and report; one that is under way stops. What it imported stays."""
        transfers.delete(self.caller, Direction.IMPORT, id)
        return Response(status=status.HTTP_204_NO_CONTENT)


def read_options(said: dict[str, Any]) -> Options:
    """The options in query parameters. Raises InvalidInput."""
    return Options(
        strategy=Strategy(said.get("strategy", Strategy.MERGE)),
        dry_run=said.get("dry_run", False),
        all_or_nothing=said.get("all_or_nothing", False),
        activate=said.get("activate", False),
        with_history=said.get("versions", "all") == "all",
        with_triggers=said.get("triggers", True),
        mapping=_mapping(said.get("mapping")),
    )


def _mapping(text: str | None) -> dict[str, dict[str, str]]:
    if text is None:
        return {}
    try:
        return read_mapping(json_gate.read(text.encode()))
    except InvalidInput as error:
        said = f"mapping: {error.message}"
        raise InvalidInput(said, problems=[Problem("invalid_parameter", said, parameter="mapping")]) from error


def _shown(outcome: Outcome) -> dict[str, Any]:
    return {**outcome.as_json(), "ids": outcome.ids, "results": outcome.items}
