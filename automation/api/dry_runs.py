"""POST /workflows/{id}/dry-run: what a run would do, without doing it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from automation.api.bodies import Body
from automation.api.workflows import workflow_id_parameter
from automation.services import dry_runs
from automation.services.dry_runs import PERFORM, SIMULATE, DryRun, Wanted
from automation.services.version_numbers import NUMBER_PATTERN
from automation.services.workflow_drafts import FIELDS
from brainops.accounts.api.scope import CallerView
from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission

DRY_RUN = Body(
    {
        "inputs": {"type": "object", "default": {}, "description": "Checked against the workflow's input schema."},
        "trigger": {"description": "What the root `trigger` holds: a sample of what would start the run."},
        "version": {
            "type": "string",
            "pattern": NUMBER_PATTERN,
            "x-hint": 'a version number such as "1.4.2"',
            "description": "This version instead of the newest one.",
        },
        "definition": {
            "description": f"An unsaved document instead of a version. {FIELDS['definition']['description']}"
        },
        "samples": {
            "type": "object",
            "default": {},
            "description": "Outputs to take for granted, by step id: of reads that are not made, of writes.",
        },
        "reads": {
            "enum": [SIMULATE, PERFORM],
            "default": SIMULATE,
            "description": "Whether steps that only read are really asked. Writes never are.",
        },
    }
)


class DryEffect(serializers.Serializer[Any]):
    """One thing that would be done outside."""

    path = serializers.CharField(help_text="The step's path; billing/charge inside of the workflow called by billing.")
    step = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.CharField()
    title = serializers.CharField()
    effect = serializers.ChoiceField(["read", "create", "update", "delete", "send"])
    idempotency = serializers.ChoiceField(["natural", "key", "none"])
    target = serializers.CharField(allow_null=True, help_text="The other side, in a few words.")
    request = serializers.JSONField(help_text="What the step would be given, secrets masked.")
    answer = serializers.JSONField(help_text="What the dry run went on with.")
    answer_source = serializers.ChoiceField(
        ["performed", "simulated", "schema", "sample", "called", "assumed", "failed"],
        help_text="How the answer came about.",
    )
    error = serializers.JSONField(allow_null=True)
    unresolved = serializers.ListField(
        child=serializers.CharField(), help_text="Expressions that stand in the request as written."
    )
    inside = serializers.ListField(child=serializers.DictField(), help_text="The effects of the called workflow.")


class DryDecision(serializers.Serializer[Any]):
    """Which way was taken, and why."""

    path = serializers.CharField()
    type = serializers.CharField(help_text="if, or the kind of a branching step.")
    taken = serializers.CharField(help_text="The port; run or skipped of an if.")
    operands = serializers.JSONField(allow_null=True)
    is_assumed = serializers.BooleanField(help_text="It depends on an answer that was made up.")


class DryUnresolved(serializers.Serializer[Any]):
    """Something that is missing."""

    code = serializers.CharField(help_text="unresolved_expression, config, missing_connection, missing_workflow …")
    path = serializers.CharField()
    message = serializers.CharField()
    expression = serializers.CharField(allow_null=True)
    pointer = serializers.CharField(allow_null=True)
    is_assumed = serializers.BooleanField(help_text="The dry run went on without it; a real answer may hold it.")


class DryStep(serializers.Serializer[Any]):
    """How a step would end."""

    path = serializers.CharField()
    kind = serializers.CharField()
    status = serializers.CharField(help_text="A step's status, or not_reached.")
    port = serializers.CharField(allow_null=True)
    output = serializers.JSONField(allow_null=True)
    reason = serializers.JSONField(allow_null=True)
    error = serializers.JSONField(allow_null=True)


class DryRunShape(serializers.Serializer[Any]):
    """What would happen."""

    workflow_id = serializers.UUIDField()
    version = serializers.CharField(allow_null=True, help_text="Null for an unsaved document.")
    mode = serializers.ChoiceField(["dry_run"])
    reads = serializers.ChoiceField([SIMULATE, PERFORM])
    status = serializers.CharField(help_text="How the run would end; stopped when a limit of dry runs ended it.")
    stopped_by = serializers.CharField(allow_null=True)
    output = serializers.JSONField(allow_null=True)
    error = serializers.JSONField(allow_null=True)
    response = serializers.JSONField(allow_null=True, help_text="What a waiting caller would be answered.")
    lasts_seconds = serializers.FloatField(help_text="Waits and delays added up; nobody waited for them.")
    effect_counts = serializers.DictField(child=serializers.IntegerField())
    effects = DryEffect(many=True)
    decisions = DryDecision(many=True)
    unresolved = DryUnresolved(many=True)
    steps = DryStep(many=True)
    logs = serializers.ListField(child=serializers.DictField())


class DryRunView(CallerView):
    """Rehearses runs."""

    permissions = {"post": Permission.RUNS_EXECUTE}
    rate_kinds = {"post": "starts"}
    creator_may = True

    @extend_schema(
        summary="Rehearse a run of a workflow",
        tags=["Runs"],
        parameters=[workflow_id_parameter()],
        request=DRY_RUN.media,
        responses={200: DryRunShape, 429: OpenApiResponse(description="As for runs; see Retry-After.")},
    )
    def post(self, request: Request, id: UUID) -> Response:
        """Say what a run would do: control flow and expressions are executed, every effect is simulated."""
        return rehearse_and_answer(self.caller, id, DRY_RUN.read(request))


def rehearse_and_answer(caller: Caller, id: UUID, body: Mapping[str, Any]) -> Response:
    """Rehearse what a checked body asks for."""
    return Response(shown(dry_runs.dry_run(caller, id, Wanted(**body))))


def shown(done: DryRun) -> dict[str, Any]:
    """The answer."""
    return {
        "workflow_id": done.workflow.id,
        "version": done.version,
        "mode": "dry_run",
        "reads": done.reads,
        "effect_counts": done.effect_counts,
        **done.report,
    }
