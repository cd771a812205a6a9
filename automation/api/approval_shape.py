"""How an approval looks in the API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from automation.api.run_shape import path_of
from automation.models import Approval, ApprovalKind, ApprovalState
from automation.services.approval_decisions import ANSWERS
from automation.services.approval_rights import Person
from automation.services.approvals import state_of

STATES = list(ApprovalState.values)
VERDICTS = [ApprovalState.APPROVED.value, ApprovalState.REJECTED.value, *(state.value for state in ANSWERS)]


class VoteShape(serializers.Serializer[Any]):
    """One person's answer."""

    voter = serializers.CharField()
    verdict = serializers.ChoiceField(VERDICTS)
    comment = serializers.CharField()
    data = serializers.JSONField(allow_null=True)  # type: ignore[assignment]  # a field that is called like DRF's own
    created_at = serializers.DateTimeField()


class ApprovalShape(serializers.Serializer[Any]):
    """A question that a run asks people."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(
        ApprovalKind.values, help_text="`approval`: yes or no. `unknown`: what became of an effect nobody knows about."
    )
    state = serializers.ChoiceField(STATES, help_text="`withdrawn`: the run ended, or went on, before an answer.")
    title = serializers.CharField()
    message = serializers.CharField()
    run_id = serializers.UUIDField()
    workflow_id = serializers.UUIDField()
    workflow_name = serializers.CharField()
    path = serializers.CharField(help_text="The step that asks.")
    attempt = serializers.IntegerField()
    assignees = serializers.ListField(
        child=serializers.CharField(), help_text="`user:…`, `role:…`, `group:…`; empty: everybody who may decide."
    )
    quorum = serializers.IntegerField(help_text="How many different people must approve.")
    votes = VoteShape(many=True)
    form = serializers.DictField(allow_null=True, help_text="The JSON Schema of `data`.")
    data = serializers.JSONField(  # type: ignore[assignment]  # as above
        allow_null=True, help_text="What the one who decided entered."
    )
    comment = serializers.CharField()
    decided_by = serializers.CharField(help_text="Empty when nobody has decided, or time has.")
    decided_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)
    escalates_at = serializers.DateTimeField(allow_null=True)
    escalate_to = serializers.ListField(child=serializers.CharField())
    may_decide = serializers.BooleanField(help_text="Whether the caller may decide it now.")
    created_at = serializers.DateTimeField()
    run_url = serializers.CharField()


def one(approval: Approval, person: Person) -> dict[str, Any]:
    """An approval of `services.approvals`, as this person sees it."""
    same = (
        *("id", "kind", "title", "message", "path", "assignees", "quorum", "form", "data", "comment", "decided_by"),
        *("decided_at", "expires_at", "escalates_at", "escalate_to", "created_at"),
    )
    state = state_of(approval)
    return {
        **{name: getattr(approval, name) for name in same},
        "state": state.value,
        "run_id": approval.run.uid,
        "workflow_id": approval.run.workflow_id,
        "workflow_name": approval.run.workflow.name,
        "attempt": approval.number,
        "votes": [_vote(vote) for vote in approval.votes.all()],
        "may_decide": state is ApprovalState.PENDING and person.may_decide(approval),
        "run_url": path_of(approval.run.uid),
    }


def _vote(vote: Any) -> dict[str, Any]:
    return {name: getattr(vote, name) for name in ("voter", "verdict", "comment", "data", "created_at")}
