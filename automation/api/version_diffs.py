"""/workflows/{id}/versions/{number}/diff: what changed from a version to another one, or to a draft."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from automation.api.bodies import Body
from automation.api.parameters import read_parameters
from automation.api.version_diff_shape import DifferenceShape, difference
from automation.api.versions import NUMBER
from automation.api.workflows import workflow_id_parameter
from automation.models import Workflow
from automation.services import version_diff, versions, workflows
from automation.services.workflow_drafts import CONTENT_FIELDS, FIELDS, read_content
from brainops.accounts.api.scope import CallerView
from brainops.accounts.policy import Permission
from brainops.core.api.serializers import ClosedSerializer

OTHER = OpenApiParameter("other", str, OpenApiParameter.PATH, description="The later version's number: 1.5.0.")
DRAFT = Body({name: FIELDS[name] for name in CONTENT_FIELDS})
EXAMPLE = OpenApiExample(
    "A step was renamed and its message changed",
    {
        "before": "1.0.0",
        "after": "1.0.1",
        "is_same": False,
        "fields": [],
        "steps": {
            "added": [],
            "removed": [],
            "renamed": [
                {
                    "was": "say",
                    "id": "tell",
                    "pointer": "/definition/steps/0",
                    "changes": [
                        {"pointer": "/definition/steps/0/with/message", "before": "Hello", "after": "Good day"}
                    ],
                }
            ],
            "changed": [],
            "moved": [],
        },
    },
    response_only=True,
)


class Against(ClosedSerializer):
    """Which other version."""

    against = serializers.CharField(
        required=False, max_length=32, help_text="Compare with this version; without it, with the newest."
    )


class VersionDiffView(CallerView):
    """Compares a version with another one, or with a draft."""

    permissions = {"get": Permission.WORKFLOWS_READ, "post": Permission.WORKFLOWS_READ}

    @extend_schema(
        summary="Compare a version of a workflow",
        tags=["Workflows"],
        operation_id="workflows_versions_diff_retrieve",
        parameters=[workflow_id_parameter(), NUMBER, Against],
        responses={200: DifferenceShape},
        examples=[EXAMPLE],
    )
    def get(self, request: Request, id: UUID, number: str) -> Response:
        """What changed from a version to the newest one, or to the one that `against` names."""
        wanted = read_parameters(Against, request)
        row = workflows.get_workflow(self.caller, id)
        return _compared(row, number, wanted.get("against", row.version))

    @extend_schema(
        summary="Compare a draft with a version",
        tags=["Workflows"],
        parameters=[workflow_id_parameter(), NUMBER],
        request=DRAFT.media,
        responses={200: DifferenceShape},
        examples=[EXAMPLE],
    )
    def post(self, request: Request, id: UUID, number: str) -> Response:
        """What saving the sent members would change of a version. What is left out stays as it is; nothing is saved."""
        body = request.data
        if not isinstance(body, dict) or body.keys() - set(CONTENT_FIELDS):
            body = DRAFT.read(request)  # what else is wrong is told by the whole draft
        version = versions.get_version(workflows.get_workflow(self.caller, id), number)
        before = versions.content_of(version)
        found = version_diff.difference(before, read_content(body, before))
        return Response(difference(found, before=version.number, after="draft"))


class VersionPairView(CallerView):
    """Compares two versions."""

    permissions = {"get": Permission.WORKFLOWS_READ}

    @extend_schema(
        summary="Compare two versions of a workflow",
        tags=["Workflows"],
        operation_id="workflows_versions_diff_pair_retrieve",
        parameters=[workflow_id_parameter(), NUMBER, OTHER],
        responses={200: DifferenceShape},
        examples=[EXAMPLE],
    )
    def get(self, request: Request, id: UUID, number: str, other: str) -> Response:
        """What changed from one version to another: steps by id, everything else by its place."""
        return _compared(workflows.get_workflow(self.caller, id), number, other)


def _compared(row: Workflow, number: str, other: str) -> Response:
    one, two = versions.get_version(row, number), versions.get_version(row, other)
    found = version_diff.difference(versions.content_of(one), versions.content_of(two))
    return Response(difference(found, before=one.number, after=two.number))
