"""/tags: the tags of the workspace's workflows; rename one, or take one off, everywhere."""

from __future__ import annotations

from typing import Any

from django.db.models import TextField
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from automation.api.bodies import Body
from automation.api.bulk import BulkReport
from automation.api.bulk_shape import report_body
from automation.api.idempotent import REPLAYED, once
from automation.api.parameters import IDEMPOTENCY_KEY, read_parameters
from automation.models import Workflow
from automation.services import tags
from automation.services.bulk import Manner
from automation.services.idempotency import Answer
from automation.services.workflow_drafts import FIELDS
from brainops.accounts.api.scope import ScopedViewSet
from brainops.accounts.policy import Permission
from brainops.core.api import cursors
from brainops.core.api.cursors import Cursor
from brainops.core.api.pagination import answer, page_size
from brainops.core.api.serializers import ClosedSerializer

BY_NAME = ("tag",)
COLUMNS = {"tag": TextField()}
TAG_TEXT = {**FIELDS["tags"]["items"], "examples": ["billing"]}
RENAME = Body(
    {
        "from": TAG_TEXT,
        "to": TAG_TEXT,
        "dry_run": {"type": "boolean", "default": False, "description": "Only say what would change."},
    },
    required=("from", "to"),
)


class TagShape(serializers.Serializer[Any]):
    """A tag and how many workflows have it."""

    tag = serializers.CharField()
    workflows = serializers.IntegerField()
    not_archived = serializers.IntegerField(help_text="Of them, those that are not in the archive.")


class TagFilters(ClosedSerializer):
    """The query parameters of the list."""

    prefix = serializers.CharField(required=False, max_length=50, help_text="Only tags that begin like this.")


class RemovalParameters(ClosedSerializer):
    """The query parameters of a removal."""

    dry_run = serializers.BooleanField(required=False, help_text="Only say what would change.")


@extend_schema(tags=["Workflows"])
class TagViewSet(ScopedViewSet):
    """The tags of the workspace. A workflow whose tags change gets its next version and an audit entry."""

    queryset = Workflow.objects.all()
    serializer_class = TagShape
    uncounted = ("list",)
    permissions = {
        "list": Permission.WORKFLOWS_READ,
        "rename": Permission.WORKFLOWS_UPDATE,
        "remove": Permission.WORKFLOWS_UPDATE,
    }

    @extend_schema(
        summary="List tags",
        parameters=[TagFilters],
        responses={200: TagShape(many=True)},
        examples=[OpenApiExample("One", {"tag": "billing", "workflows": 12, "not_archived": 9}, response_only=True)],
    )
    def list(self, request: Request) -> Response:
        """The tags in the order of their characters, with how many workflows have each."""
        wanted = read_parameters(TagFilters, request)
        page = tags.count(self.caller, after=_after(request), limit=page_size(request), **wanted)
        link = None
        if page.has_more:
            cursor = cursors.encode(Cursor((page.tags[-1].name,)), BY_NAME)
            link = replace_query_param(request.build_absolute_uri(), "cursor", cursor)
        rows = [{"tag": one.name, "workflows": one.workflows, "not_archived": one.not_archived} for one in page.tags]
        return answer(request, rows, next=link)

    @extend_schema(
        summary="Rename a tag",
        parameters=[IDEMPOTENCY_KEY],
        request=RENAME.media,
        responses={200: BulkReport, 404: OpenApiResponse(description="No workflow has the tag.")},
        examples=[OpenApiExample("One", {"from": "biling", "to": "billing"}, request_only=True)],
    )
    def rename(self, request: Request) -> Response:
        """Call a tag otherwise on every workflow that has it, all or none. Where both stand already, one is left."""
        body = RENAME.read(request)

        def work() -> Answer:
            manner = Manner(body.get("dry_run", False), is_all_or_nothing=True)
            return Answer(
                200, report_body("tag", tags.rename(self.caller, body["from"], body["to"], manner=manner), manner)
            )

        given = once(request, self.caller, work)
        return Response(given.body, given.status, headers=REPLAYED if given.is_replay else {})

    @extend_schema(
        summary="Take a tag off everywhere",
        parameters=[OpenApiParameter("tag", str, OpenApiParameter.PATH), RemovalParameters],
        responses={200: BulkReport},
    )
    def remove(self, request: Request, tag: str) -> Response:
        """Take a tag off every workflow that has it, all or none."""
        is_dry_run = read_parameters(RemovalParameters, request).get("dry_run", False)
        manner = Manner(is_dry_run, is_all_or_nothing=True)
        return Response(report_body("untag", tags.remove(self.caller, tag, manner=manner), manner))


def _after(request: Request) -> str:
    text = request.query_params.get("cursor")
    return "" if text is None else str(cursors.decode(text, BY_NAME, COLUMNS).values[0])
