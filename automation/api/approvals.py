"""/approvals: what runs ask people, and their answers. Nothing is ever decided by GET."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from automation.api import approval_shape
from automation.api.approval_shape import STATES, ApprovalShape
from automation.api.bodies import Body
from automation.api.parameters import read_parameters
from automation.models import Approval, ApprovalKind
from automation.services import approval_decisions, approvals
from automation.services.approval_rights import ASSIGNEES_SCHEMA, person_of
from brainops.accounts.api.scope import ScopedViewSet
from brainops.accounts.policy import Permission
from brainops.core.api.serializers import ClosedSerializer

APPROVAL_ID = OpenApiParameter("id", UUID, OpenApiParameter.PATH, description="The approval.")
_COMMENT = {"type": "string", "maxLength": 5000, "default": "", "description": "Why; the run sees it."}
APPROVE = Body({"comment": _COMMENT, "data": {"description": "What the form asks for."}})
REJECT = Body({"comment": _COMMENT})
ANSWER = Body(
    {
        "answer": {
            "enum": [state.value for state in approval_decisions.ANSWERS],
            "description": "`happened`: the step succeeded. `repeat`: do it again. `fail`: the step failed.",
        },
        "output": {"description": "With `happened`: the output of the step."},
        "comment": _COMMENT,
    },
    required=("answer",),
)
REASSIGN = Body({"assignees": {**ASSIGNEES_SCHEMA, "description": "Who shall decide."}}, required=("assignees",))
DECIDED = {
    200: ApprovalShape,
    403: OpenApiResponse(description="It asks others."),
    409: OpenApiResponse(
        description="approval_decided (otherwise), approval_expired, approval_withdrawn or other_question."
    ),
}


class ApprovalFilters(ClosedSerializer):
    """The query parameters of the list."""

    state = serializers.ListField(
        child=serializers.ChoiceField(STATES), required=False, help_text="Any of these; repeat the parameter."
    )
    kind = serializers.ChoiceField(ApprovalKind.values, required=False)
    assigned_to = serializers.ChoiceField(["me"], required=False, help_text="Only those that ask the caller.")
    workflow_id = serializers.UUIDField(required=False)
    run_id = serializers.UUIDField(required=False)


@extend_schema(tags=["Approvals"])
class ApprovalViewSet(ScopedViewSet):
    """The approvals of the workspace. Who may decide one depends on whom it asks: the service knows."""

    queryset = Approval.objects.all()
    serializer_class = ApprovalShape
    permissions = dict.fromkeys(
        ("list", "retrieve", "approve", "reject", "answer", "reassign"), Permission.APPROVALS_READ
    )

    @extend_schema(summary="List approvals", parameters=[ApprovalFilters])
    def list(self, request: Request) -> Response:
        """The approvals of the workspace, newest first."""
        person = person_of(self.caller)
        rows = approvals.find(person, **read_parameters(ApprovalFilters, request))
        page = self.paginate_queryset(rows) or []
        return self.get_paginated_response([approval_shape.one(row, person) for row in page])

    @extend_schema(summary="Read an approval", parameters=[APPROVAL_ID], responses={200: ApprovalShape})
    def retrieve(self, request: Request, id: UUID) -> Response:
        """One approval with its form and every answer."""
        return self._shown(approvals.get(self.caller, id))

    @extend_schema(summary="Approve", parameters=[APPROVAL_ID], request=APPROVE.media, responses=DECIDED)
    def approve(self, request: Request, id: UUID) -> Response:
        """Approve. When as many people as the quorum have, the run goes on at the port `approved`."""
        return self._shown(approval_decisions.approve(self.caller, id, **APPROVE.read(request)))

    @extend_schema(summary="Reject", parameters=[APPROVAL_ID], request=REJECT.media, responses=DECIDED)
    def reject(self, request: Request, id: UUID) -> Response:
        """Reject, whatever others said. The run goes on at the port `rejected`."""
        return self._shown(approval_decisions.reject(self.caller, id, **REJECT.read(request)))

    @extend_schema(
        summary="Answer what became of an effect",
        parameters=[APPROVAL_ID],
        request=ANSWER.media,
        responses=DECIDED,
    )
    def answer(self, request: Request, id: UUID) -> Response:
        """Say what became of a step whose process died in it."""
        return self._shown(approval_decisions.answer(self.caller, id, **ANSWER.read(request)))

    @extend_schema(summary="Reassign", parameters=[APPROVAL_ID], request=REASSIGN.media, responses=DECIDED)
    def reassign(self, request: Request, id: UUID) -> Response:
        """Ask others instead. Who is no admin hands on only what is their own."""
        return self._shown(approval_decisions.reassign(self.caller, id, **REASSIGN.read(request)))

    def _shown(self, approval: Approval) -> Response:
        body: dict[str, Any] = approval_shape.one(approval, person_of(self.caller))
        return Response(body)
