"""Which runs a replay repeats: those named, or those a filter finds, as far as the caller may repeat them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from automation.engine.status import RunStatus
from automation.models import Run, Workflow
from automation.services.run_search import find_rows
from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission
from brainops.accounts.scoping import scoped
from brainops.core.errors import InvalidInput, PermissionDenied, Problem

FINAL_WORDS = tuple(status.word for status in RunStatus if status.is_final)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The runs meant: ids, or what the list of runs takes as filters. Exactly one of both is given."""

    runs: Sequence[UUID] | None = None
    filters: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Selected:
    """The inner ids of the runs, oldest first; `denied` are those among them that the caller may not repeat."""

    ids: tuple[int, ...]
    denied: frozenset[int]

    @property
    def allowed(self) -> tuple[int, ...]:
        """Those that can be tried."""
        return tuple(id_ for id_ in self.ids if id_ not in self.denied)


def select(caller: Caller, wanted: Wanted) -> Selected:
    """Find the runs.

    Raises InvalidInput for unknown ids, no runs or too many of them, PermissionDenied when none may be repeated.
    """
    most = settings.BRAINOPS_LIMITS["replay_runs"]
    rows = _named(caller, wanted.runs) if wanted.runs is not None else _found(caller, wanted.filters)
    found = list(rows.order_by("id").values_list("id", "workflow_id")[: most + 1])
    if len(found) > most:
        raise _refused(f"More than {most} runs fit. Narrow the filter, or replay them in parts.", "too_many_runs")
    if not found:
        raise _refused("No run fits that has ended. Widen the filter.", "no_runs")
    mine = _may_repeat(caller, {workflow_id for _, workflow_id in found})
    denied = frozenset(id_ for id_, workflow_id in found if workflow_id not in mine)
    if len(denied) == len(found):
        raise PermissionDenied(details={"permission": Permission.RUNS_RETRY.value})
    return Selected(tuple(id_ for id_, _ in found), denied)


def _named(caller: Caller, uids: Sequence[UUID]) -> QuerySet[Run]:
    """The runs with these ids, also such that have not ended: their items will say so."""
    rows = scoped(Run.objects.filter(uid__in=uids), caller)
    known = set(rows.values_list("uid", flat=True))
    missing = [place for place, uid in enumerate(uids) if uid not in known]
    if missing:
        said = "There is no such run in this workspace."
        raise InvalidInput.from_problems(Problem("unknown_run", said, f"/runs/{place}") for place in missing[:100])
    return rows


def _found(caller: Caller, filters: dict[str, Any]) -> QuerySet[Run]:
    return find_rows(caller, **{"status": FINAL_WORDS, **filters})


def _may_repeat(caller: Caller, workflow_ids: set[UUID]) -> set[UUID]:
    """Those of the workflows whose runs the caller may repeat: by role all, else what it made itself."""
    if caller.may(Permission.RUNS_RETRY):
        return workflow_ids
    owned = Workflow.objects.filter(id__in=workflow_ids, owner_id=caller.user_id).values_list("id", "owner_id")
    return {id_ for id_, owner_id in owned if caller.may(Permission.RUNS_RETRY, created_by=owner_id)}


def _refused(said: str, code: str) -> InvalidInput:
    return InvalidInput(said, code=code, problems=[Problem(code, said, "/filter")])
