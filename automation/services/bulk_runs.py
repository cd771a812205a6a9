"""Cancel many runs at once, an answer for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from automation.engine.status import RunStatus
from automation.models import Run
from automation.services import bulk, limits, run_search
from automation.services.bulk import Fate, Manner, Outcome, Report
from automation.store.cancel import cancel_runs
from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission
from brainops.accounts.scoping import scoped
from brainops.audit.services import Deed, record_many
from brainops.core.errors import AppError, Conflict

UNDER_WAY = tuple(status.word for status in RunStatus if not status.is_final)


def find(caller: Caller, filters: Mapping[str, Any]) -> list[UUID]:
    """The runs that a filter finds, newest first; those under way unless it says so. Raises InvalidInput."""
    rows = run_search.find_rows(caller, **{"status": UNDER_WAY, **filters})
    return bulk.ids_of(rows.order_by("-id"), column="uid")


def cancel(caller: Caller, uids: Sequence[UUID], *, manner: Manner) -> Report:
    """Cancel runs of the caller's workspace. Raises PermissionDenied when the caller may cancel none."""
    if not caller.may(Permission.RUNS_CANCEL, created_by=caller.user_id):
        caller.require(Permission.RUNS_CANCEL)
    bulk.require_few(uids)
    rows = scoped(Run.objects.select_related("workflow"), caller)
    return bulk.carry_out(uids, partial(_work, caller, rows, manner), manner=manner, then=partial(_record_call, caller))


def _work(caller: Caller, rows: QuerySet[Run], manner: Manner, uids: Sequence[UUID]) -> dict[UUID, Outcome]:
    outcomes, wanted = {}, {}
    columns = ("id", "uid", "status", "workspace_id", "workflow_id", "workflow__name", "workflow__owner_id")
    for run in rows.filter(uid__in=uids).only(*columns).order_by("id"):
        try:
            caller.require(Permission.RUNS_CANCEL, created_by=run.workflow.owner_id)
            _require_under_way(run)
        except AppError as refusal:
            outcomes[run.uid] = Outcome.refused(run.uid, refusal, run_status=run.status_word)
        else:
            wanted[run.id] = run
    if manner.is_dry_run:
        return outcomes | {run.uid: Outcome(run.uid, Fate.DONE) for run in wanted.values()}
    return outcomes | _cancelled(caller, wanted)


def _cancelled(caller: Caller, wanted: Mapping[int, Run]) -> dict[UUID, Outcome]:
    with connection.cursor() as cursor:
        now = cancel_runs(cursor, list(wanted))
    limits.after_end(wanted)
    record_many(caller, [_deed(run) for run in wanted.values() if run.id in now])
    return {run.uid: _outcome(run, now.get(run.id)) for run in wanted.values()}


def _outcome(run: Run, now: int | None) -> Outcome:
    if now is None:  # it ended after we had looked
        return Outcome.refused(run.uid, _over("over"))
    return Outcome(run.uid, Fate.DONE, facts={"run_status": RunStatus(now).word})


def _require_under_way(run: Run) -> None:
    if run.is_final:
        raise _over(run.status_word)


def _over(word: str) -> Conflict:
    return Conflict(f"The run has ended already: it is {word}.", code="run_is_final")


def _deed(run: Run) -> Deed:
    said = f"Cancelled a run of workflow {run.workflow.name!r}."
    return Deed(run.workspace_id, "run.cancel", "run", run.uid, said)


def _record_call(caller: Caller, report: Report) -> None:
    counts = ", ".join(f"{count} {fate}" for fate, count in report.counts.items())
    said = f"Bulk cancel of {len(report.outcomes)} runs: {counts}."
    place = caller.workspace()
    record_many(caller, [Deed(place, "run.bulk", "workspace", place, said, {"counts": report.counts})])
