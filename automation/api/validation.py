"""POST /workflows/validate, GET /workflow-schema: is this a workflow, and what is one?"""

from __future__ import annotations

from typing import Any

import orjson
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from automation.api.bodies import Body
from automation.api.yaml_bodies import YamlParser
from automation.engine.schema import document_schema
from automation.services.validation import Verdict, validate
from automation.services.workflow_drafts import FIELDS
from brainops.accounts.api.scope import CallerView
from brainops.accounts.policy import Permission
from brainops.core.api.json import JsonParser
from brainops.core.api.public import ANY_CALLER
from brainops.core.api.schema import ProblemItem

CANDIDATE = Body(
    {
        "definition": {"description": FIELDS["definition"]["description"]},  # of any type: that is the question
        "inputs": {"type": "object", "description": "Inputs of a run, checked too when they are sent."},
    },
    required=("definition",),
)


class PlannedStepShape(serializers.Serializer[Any]):
    """A step in the order of the plan."""

    id = serializers.CharField()
    uses = serializers.CharField()
    needs = serializers.ListField(child=serializers.CharField())


class Validation(serializers.Serializer[Any]):
    """The verdict. A workflow that is refused is no error of the request: the answer is 200 either way."""

    valid = serializers.BooleanField()
    problems = ProblemItem(many=True, help_text="Everything wrong, with JSON pointers into the body.")
    steps = PlannedStepShape(many=True, help_text="What would run, in an order that respects `needs`.")
    checksum = serializers.CharField(allow_null=True, help_text="The checksum the version would have.")


class ValidateView(CallerView):
    """Checks without saving."""

    parser_classes = (JsonParser, YamlParser)
    permissions = {"post": Permission.WORKFLOWS_READ}

    @extend_schema(
        summary="Validate a workflow",
        tags=["Workflows"],
        request={**CANDIDATE.media, YamlParser.media_type: CANDIDATE.schema},
        responses={200: Validation},
    )
    def post(self, request: Request) -> Response:
        """Check a workflow document, and inputs for it, without saving anything. The body may be YAML."""
        body = CANDIDATE.read(request)
        return Response(_shown(validate(body["definition"], body.get("inputs"), workspace_id=self.caller.workspace())))


class WorkflowSchemaView(CallerView):
    """The published schema."""

    permissions = {"get": ANY_CALLER}

    @extend_schema(
        summary="The JSON Schema of workflow documents",
        tags=["Workflows"],
        responses={
            (200, "application/schema+json"): OpenApiResponse(OpenApiTypes.OBJECT, "JSON Schema, draft 2020-12.")
        },
    )
    def get(self, request: Request) -> HttpResponse:
        """What `definition` may hold; what each kind takes in `with` stands in the catalogue."""
        return HttpResponse(orjson.dumps(document_schema()), content_type="application/schema+json")


def _shown(verdict: Verdict) -> dict[str, Any]:
    return {
        "valid": not verdict.problems,
        "problems": [
            {"code": problem.code, "message": problem.message, "pointer": problem.pointer}
            for problem in verdict.problems
        ],
        "steps": [
            {"id": step.id, "uses": step.kind.key, "needs": [str(need) for need in step.needs]}
            for step in (verdict.plan.steps if verdict.plan else ())
        ],
        "checksum": verdict.checksum,
    }
