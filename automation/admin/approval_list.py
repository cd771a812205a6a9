"""The list of approvals: its filters, and how its rows look."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.views import ChangeList

from automation.admin.filters import WorkflowFilter
from automation.looks.states import APPROVALS
from automation.models import ApprovalState
from automation.services import approvals


class ApprovalStateFilter(SimpleListFilter):
    """What waits for people, unless something else is asked for."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """The words of the pills."""
        return [("all", "All"), *((state.value, look.word) for state, look in APPROVALS.items())]

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Without Django's own "All": nothing chosen means waiting."""
        chosen = self.value() or ApprovalState.PENDING.value
        for value, title in self.lookup_choices:
            query = changelist.get_query_string({self.parameter_name: value})
            yield {"selected": chosen == value, "query_string": query, "display": title}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The approvals in that state; a word that means nothing finds nothing."""
        value = self.value() or ApprovalState.PENDING.value
        return queryset if value == "all" else queryset.filter(approvals.in_states([value]))


class ApprovalWorkflowFilter(WorkflowFilter):
    """Approvals of one workflow's runs."""

    column = "run__workflow_id"


class ApprovalList(ChangeList):  # type: ignore[misc]  # unfold has no types
    """The rows of a page with their looks."""

    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        """Read the page, then say how each row looks."""
        super().get_results(request)
        self.result_list = [dressed(row) for row in self.result_list]


def dressed(approval: Any) -> Any:
    """An approval with its present state, its look and its answers."""
    approval.state_now = approvals.state_of(approval)
    approval.look = APPROVALS[approval.state_now]
    approval.vote_list = list(approval.votes.all())
    for vote in approval.vote_list:
        vote.look = APPROVALS[ApprovalState(vote.verdict)]
    return approval
