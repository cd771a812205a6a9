"""POST /workflows/bulk: one verb on many workflows, an answer for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from automation.api.bodies import Body
from automation.api.bulk_shape import (
    IDS,
    INSTANT,
    MANNER,
    UUID_TEXT,
    OutcomeShape,
    read_filter,
    read_ids,
    read_manner,
    read_which,
    report_body,
)
from automation.api.idempotent import REPLAYED, once
from automation.api.parameters import IDEMPOTENCY_KEY
from automation.api.transfer_shape import TransferShape, show
from automation.api.workflows import WorkflowFilters
from automation.services import bulk, bulk_workflows, workflow_search
from automation.services.bulk_verbs import VERBS, Details, homes_of
from automation.services.bulk_workflows import Order
from automation.services.exchange.form import FORMS
from automation.services.idempotency import Answer
from automation.services.workflow_drafts import FIELDS
from brainops.accounts.api.scope import CallerView
from brainops.accounts.policy import Permission
from brainops.core.errors import InvalidInput, Problem

TAGS = {name: value for name, value in FIELDS["tags"].items() if name != "default"}
TEXT = {"type": "string", "maxLength": 200}
FILTER = {
    "type": "object",
    "additionalProperties": False,
    "description": "Those that the list would show with these parameters.",
    "properties": {
        "search": TEXT,
        "tag": {"type": "array", "items": {"type": "string", "maxLength": 50}, "maxItems": 10},
        "is_active": {"type": "boolean"},
        "is_archived": {"type": "boolean"},
        "owner": UUID_TEXT,
        "created_since": INSTANT,
        "created_until": INSTANT,
        "updated_since": INSTANT,
        "updated_until": INSTANT,
    },
}
PROPERTIES: dict[str, Any] = {
    "action": {"enum": list(VERBS), "description": "What to do with each of them."},
    "ids": IDS,
    "filter": FILTER,
    "tags": {**TAGS, "minItems": 1, "description": "With `tag` and `untag`: the tags."},
    "owner": {**UUID_TEXT, "description": "With `assign`: the user who shall own them, a member of the workspace."},
    "meta_data": {
        "type": "object",
        "description": "With `archive`: a JSON Merge Patch (RFC 7396) of each `meta_data`; makes a version.",
    },
    "note": {**FIELDS["note"], "description": "Why: the note of the versions that are made."},
    "if_match": {
        "type": "object",
        "additionalProperties": {"type": "string", "maxLength": 80},
        "description": "By id the ETag it must have; another state is refused with version_mismatch.",
    },
    "format": {"enum": [*FORMS], "default": "json", "description": "With `export`: the file's form."},
    **MANNER,
}
BODY = Body(PROPERTIES, required=("action",))

NEEDS = {"tag": "tags", "untag": "tags", "assign": "owner"}  # action: the member it cannot do without
TAKES = {
    "format": ("export",),
    "tags": ("tag", "untag"),
    "owner": ("assign",),
    "meta_data": ("archive",),
    "note": ("archive", "tag", "untag"),
}


class WorkflowOutcome(OutcomeShape):
    """What became of a workflow."""

    version = serializers.CharField(required=False, help_text="The number of its newest version now.")
    etag = serializers.CharField(required=False, help_text="What If-Match takes now.")
    deleted = serializers.DictField(
        child=serializers.IntegerField(), required=False, help_text="Rows that went with it, by kind."
    )


class BulkReport(serializers.Serializer[Any]):
    """What became of each."""

    action = serializers.ChoiceField(list(VERBS))
    dry_run = serializers.BooleanField()
    applied = serializers.BooleanField(help_text="False: nothing was changed.")
    total = serializers.IntegerField()
    counts = serializers.DictField(child=serializers.IntegerField(), help_text="How many, by status.")
    results = WorkflowOutcome(many=True, help_text="In the order they were named, each once.")
    export = TransferShape(
        required=False,
        allow_null=True,
        help_text="Of an export: where its file will be; null when nothing is exported.",
    )


EXAMPLES = [
    OpenApiExample(
        "Archive old ones",
        value={
            "action": "archive",
            "filter": {"tag": ["2025"], "is_active": False},
            "meta_data": {"archived_for": "spring cleaning"},
            "dry_run": True,
        },
        request_only=True,
    ),
    OpenApiExample(
        "One done, one of somebody else",
        value={
            "action": "deactivate",
            "dry_run": False,
            "applied": True,
            "total": 2,
            "counts": {"done": 1, "unchanged": 0, "not_found": 1, "refused": 0, "withheld": 0},
            "results": [
                {
                    "id": "0b9c6a3e-8f0e-4d43-9a52-5b1f1d5f8b21",
                    "status": "done",
                    "problem": None,
                    "version": "1.0.3",
                    "etag": '"1.0.3-r8"',
                },
                {"id": "5f7b52a4-6f7c-4c5e-8c8b-6a1f3a0c9d11", "status": "not_found", "problem": None},
            ],
        },
        response_only=True,
        status_codes=["200"],
    ),
]


class WorkflowBulkView(CallerView):
    """Changes many workflows. Reading them is asked for here, the right to the action for each of them."""

    permissions = {"post": Permission.WORKFLOWS_READ}
    creator_may = True

    @extend_schema(
        summary="Change many workflows",
        tags=["Workflows"],
        parameters=[IDEMPOTENCY_KEY],
        request=BODY.media,
        responses={
            200: BulkReport,
            409: OpenApiResponse(description="bulk_refused (all or nothing became nothing), idempotency_key_reused."),
        },
        examples=EXAMPLES,
    )
    def post(self, request: Request) -> Response:
        """Activate, deactivate, archive, unarchive, tag, untag, give to another owner, export or delete many."""
        body = read_body(request)

        def work() -> Answer:
            order = read_order(body, read_which(body, self._find))
            if order.action == "export":
                return self._export(order)
            report = bulk_workflows.carry_out(self.caller, order)
            return Answer(status.HTTP_200_OK, report_body(order.action, report, order.manner))

        answer = once(request, self.caller, work)
        return Response(answer.body, answer.status, headers=REPLAYED if answer.is_replay else {})

    def _export(self, order: Order) -> Answer:
        report, transfer = bulk_workflows.export(self.caller, order)
        body = report_body(order.action, report, order.manner)
        return Answer(status.HTTP_200_OK, {**body, "export": transfer and show(transfer)})

    def _find(self, given: Mapping[str, Any]) -> list[UUID]:
        rows = workflow_search.find(self.caller, **read_filter(WorkflowFilters, given))
        return bulk.ids_of(rows.order_by("-created_at", "-id"))


def read_body(request: Request) -> dict[str, Any]:
    """The checked body. Raises InvalidInput for members that the action needs and misses, or does not know."""
    body = BODY.read(request)
    action = body["action"]
    problems = []
    if (needed := NEEDS.get(action)) and needed not in body:
        problems.append(Problem("required", f'"{needed}" is required for {action}. Add it.', ""))
    for name, actions in TAKES.items():
        if name in body and action not in actions:
            said = f'"{name}" means nothing for {action}, only for {", ".join(actions)}. Remove it.'
            problems.append(Problem("unknown_key", said, f"/{name}"))
    if problems:
        raise InvalidInput.from_problems(problems)
    return body


def read_order(body: Mapping[str, Any], ids: list[UUID]) -> Order:
    """The order in a checked body."""
    owner_id = read_ids([body["owner"]], "/owner")[0] if "owner" in body else None
    states = body.get("if_match", {})
    details = Details(
        tags=tuple(body.get("tags", ())),
        owner_id=owner_id,
        homes=homes_of(owner_id) if owner_id else frozenset(),
        meta_data=body.get("meta_data"),
        note=body.get("note", ""),
        form=body.get("format", "json"),
    )
    return Order(
        action=body["action"],
        ids=ids,
        details=details,
        states=dict(zip(read_ids(list(states), "/if_match"), states.values(), strict=True)),
        manner=read_manner(body),
    )
