"""POST /workflows/{id}/execute: start a run."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import OpenApiResponse, PolymorphicProxySerializer, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from automation.api.bodies import Body
from automation.api.dry_runs import DryRunShape, rehearse_and_answer
from automation.api.parameters import IDEMPOTENCY_KEY, WAIT, read_wait_seconds
from automation.api.run_schema import AcceptedRun, RunShape
from automation.api.starting import start_and_answer
from automation.api.workflows import workflow_id_parameter
from automation.models import RunMode
from automation.services import runs
from automation.services.rights import require_on_workflow
from automation.services.runs import StartedRun
from automation.services.version_numbers import NUMBER_PATTERN
from brainops.accounts.api.scope import CallerView
from brainops.accounts.policy import Permission

EXECUTE = Body(
    {
        "inputs": {"type": "object", "default": {}, "description": "Checked against the workflow's input schema."},
        "version": {
            "type": "string",
            "pattern": NUMBER_PATTERN,
            "x-hint": 'a version number such as "1.4.2"',
            "description": "Run this version instead of the newest one.",
        },
        "mode": {
            "enum": ["run", "dry_run"],
            "default": "run",
            "description": "dry_run: start nothing and answer what a run would do, as /workflows/{id}/dry-run does.",
        },
    }
)
ENDED = PolymorphicProxySerializer("RunOrDryRun", [RunShape, DryRunShape], resource_type_field_name=None)


class ExecuteView(CallerView):
    """Starts runs."""

    permissions = {"post": Permission.RUNS_EXECUTE}
    rate_kinds = {"post": "starts"}
    creator_may = True

    @extend_schema(
        summary="Run a workflow",
        tags=["Runs"],
        parameters=[workflow_id_parameter(), WAIT, IDEMPOTENCY_KEY],
        request=EXECUTE.media,
        responses={
            202: AcceptedRun,
            200: OpenApiResponse(ENDED, description="The ended run; for `mode` dry_run what one would do."),
            409: OpenApiResponse(description="workflow_inactive, workflow_archived or idempotency_key_reused."),
            429: OpenApiResponse(description="More starts a second than one caller may; see Retry-After."),
        },
    )
    def post(self, request: Request, id: UUID) -> Response:
        """Start a run of the workflow. It runs by itself; its address tells how it goes."""
        caller = self.caller
        body = EXECUTE.read(request)
        wait_seconds = read_wait_seconds(request)
        if body.pop("mode", "run") == "dry_run":
            return rehearse_and_answer(caller, id, body)
        require_on_workflow(caller, Permission.RUNS_EXECUTE, id)

        def start() -> StartedRun:
            return runs.start(
                id,
                workspace_id=caller.workspace(),
                inputs=body.get("inputs", {}),
                created_by_id=caller.user_id,
                mode=RunMode.SYNC if wait_seconds else RunMode.ASYNC,
                version=body.get("version"),
            )

        return start_and_answer(request, caller, start, wait_seconds=wait_seconds)
