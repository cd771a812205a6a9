"""/workflows: create, list, read, replace, change and delete workflows."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from automation.api import workflow_shape
from automation.api.bodies import Body
from automation.api.idempotent import REPLAYED, once
from automation.api.parameters import IDEMPOTENCY_KEY, IF_MATCH, Fields, Several, chosen, read_parameters
from automation.api.round_trip import without_sent_back
from automation.api.version_diff_shape import difference
from automation.api.workflow_shape import WORKFLOW_MEMBERS, WorkflowShape, state_of
from automation.models import Workflow
from automation.services import versions, workflow_deletion, workflow_search, workflows
from automation.services.idempotency import Answer
from automation.services.workflow_drafts import FIELDS, REQUIRED, Draft, read_draft, read_patch
from automation.services.workflow_search import BEST_FIRST, ORDERS, STATUSES
from brainops.accounts.api.scope import ScopedViewSet
from brainops.accounts.policy import Permission
from brainops.core.api.etag import check_if_match, entity_tag
from brainops.core.api.json import JsonParser, MergePatchParser

NEW = Body(FIELDS, required=REQUIRED)
PATCH = Body(FIELDS)
ANSWERS = {200: WorkflowShape}


class WorkflowFilters(Fields):
    """The query parameters of the list."""

    search = serializers.CharField(
        required=False,
        max_length=200,
        help_text="Words in name, tags, ids of steps or description; parts of words and misspelt ones are found. "
        "The best fit comes first unless `ordering` says otherwise.",
    )
    tag = Several(serializers.CharField(max_length=50), help_text="Has all of these tags.")
    any_tag = Several(serializers.CharField(max_length=50), help_text="Has any of these tags.")
    status = Several(serializers.ChoiceField([*STATUSES]), help_text="Is any of these.")
    uses = Several(serializers.CharField(max_length=100), help_text="Has a step of any of these kinds.")
    trigger_kind = Several(serializers.CharField(max_length=50), help_text="Has a trigger of any of these kinds.")
    is_active = serializers.BooleanField(required=False)
    is_archived = serializers.BooleanField(required=False)
    owner = serializers.UUIDField(required=False)
    created_since = serializers.DateTimeField(required=False)
    created_until = serializers.DateTimeField(required=False)
    updated_since = serializers.DateTimeField(required=False)
    updated_until = serializers.DateTimeField(required=False)


class DeletionParameters(serializers.Serializer[Any]):
    """The query parameters of a deletion."""

    dry_run = serializers.BooleanField(required=False, help_text="Only say what would be deleted.")


class Deletion(serializers.Serializer[Any]):
    """What a deletion would take along."""

    would_delete = serializers.DictField(child=serializers.IntegerField(), help_text="Rows by kind.")


@extend_schema(tags=["Workflows"])
class WorkflowViewSet(ScopedViewSet):
    """The workflows of the workspace."""

    queryset = Workflow.objects.all()
    serializer_class = WorkflowShape
    parser_classes = (JsonParser, MergePatchParser)
    creator_may = True
    orderings = {"list": ORDERS}
    permissions = {
        "list": Permission.WORKFLOWS_READ,
        "retrieve": Permission.WORKFLOWS_READ,
        "create": Permission.WORKFLOWS_CREATE,
        "update": Permission.WORKFLOWS_UPDATE,
        "partial_update": Permission.WORKFLOWS_UPDATE,
        "destroy": Permission.WORKFLOWS_DELETE,
    }

    @extend_schema(summary="List workflows", parameters=[WorkflowFilters])
    def list(self, request: Request) -> Response:
        """The workflows of the workspace."""
        wanted = read_parameters(WorkflowFilters, request)
        members = chosen(wanted.pop("fields", None), WORKFLOW_MEMBERS)
        if wanted.get("search", "").strip():
            self.page_ordering = BEST_FIRST
        rows = workflow_search.find(self.caller, **wanted)
        if "definition" not in members:
            rows = rows.defer("definition")
        page = self.paginate_queryset(rows) or []
        return self.get_paginated_response([workflow_shape.workflow(row, members) for row in page])

    @extend_schema(
        summary="Create a workflow",
        parameters=[IDEMPOTENCY_KEY],
        request=NEW.media,
        responses={201: WorkflowShape, 409: OpenApiResponse(description="The Idempotency-Key was used otherwise.")},
    )
    def create(self, request: Request) -> Response:
        """Create a workflow with version 1.0.0. Everything that is wrong with it is told at once."""
        answer = once(request, self.caller, lambda: _created(workflows.create(self.caller, read_draft(request.data))))
        extra = REPLAYED if answer.is_replay else {}
        return Response(answer.body, answer.status, headers={**answer.headers, **extra})

    @extend_schema(summary="Read a workflow", parameters=[Fields])
    def retrieve(self, request: Request, id: UUID) -> Response:
        """One workflow. The ETag is what If-Match takes."""
        members = chosen(read_parameters(Fields, request).get("fields"), WORKFLOW_MEMBERS)
        return shown(workflows.get_workflow(self.caller, id), members)

    @extend_schema(summary="Replace a workflow", parameters=[IF_MATCH], request=NEW.media, responses=ANSWERS)
    def update(self, request: Request, id: UUID) -> Response:
        """Save a whole workflow; what is left out gets its default. Changed content makes the next version."""

        def make_draft(row: Workflow) -> Draft:
            require_match(request, row)
            return read_draft(without_sent_back(request.data, workflow_shape.workflow(row)))

        return shown(workflows.change(self.caller, id, make_draft))

    @extend_schema(summary="Change a workflow", parameters=[IF_MATCH], request=PATCH.media, responses=ANSWERS)
    def partial_update(self, request: Request, id: UUID) -> Response:
        """Apply a JSON Merge Patch (RFC 7396): objects merge, null removes, lists are replaced."""

        def make_draft(row: Workflow) -> Draft:
            require_match(request, row)
            return read_patch(request.data, row)

        return shown(workflows.change(self.caller, id, make_draft))

    @extend_schema(
        summary="Delete a workflow", parameters=[IF_MATCH, DeletionParameters], responses={204: None, 200: Deletion}
    )
    def destroy(self, request: Request, id: UUID) -> Response:
        """Delete a workflow with its versions, triggers and runs. `dry_run=true` only says what would go."""
        if read_parameters(DeletionParameters, request).get("dry_run"):
            return Response({"would_delete": workflow_deletion.what_goes_with(self.caller, id)})
        workflow_deletion.delete(self.caller, id, check=lambda row: require_match(request, row))
        return Response(status=status.HTTP_204_NO_CONTENT)


def shown(row: Workflow, members: tuple[str, ...] = WORKFLOW_MEMBERS) -> Response:
    """The answer that shows a workflow."""
    return Response(workflow_shape.workflow(row, members), headers={"ETag": entity_tag(state_of(row))})


def require_match(request: Request, row: Workflow) -> None:
    """Raise VersionMismatch with both versions and what happened between, when If-Match names another state."""
    check_if_match(request, state_of(row), details=lambda tags: _since(row, tags[0] if tags else ""))


def _since(row: Workflow, tag: str) -> dict[str, Any]:
    """What others did since the state that a tag names; the difference when that was another version."""
    number, _, revision = tag.partition("-r")
    steps_back = row.revision - int(revision) if revision.isascii() and revision.isdigit() else 0
    since = versions.changed_since(row, number, steps_back=steps_back)
    shown = difference(since.difference, before=number, after=row.version) if since.difference else None
    return {
        "your_version": number,
        "current_version": row.version,
        "current_etag": entity_tag(state_of(row)),
        "changes": since.entries,
        "difference": shown,
    }


def _created(row: Workflow) -> Answer:
    path = f"{settings.BRAINOPS_API_PREFIX}/workflows/{row.id}"
    headers = {"Location": path, "ETag": entity_tag(state_of(row))}
    return Answer(status.HTTP_201_CREATED, workflow_shape.workflow(row), headers)


def workflow_id_parameter() -> OpenApiParameter:
    """The `{id}` of routes below a workflow."""
    return OpenApiParameter("id", UUID, OpenApiParameter.PATH, description="The workflow.")
