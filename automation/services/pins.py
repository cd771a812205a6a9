"""Pins: runs that retention leaves."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from automation.models import Run
from automation.services.rights import require_on_workflow
from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission
from brainops.accounts.scoping import get_scoped
from brainops.audit.services import record


def pin(caller: Caller, uid: UUID | str, *, is_pinned: bool = True) -> Run:
    """Keep a run whatever its age, or leave it to retention again. Doing it twice changes nothing.

    Raises NotFound, also for a run that was pruned meanwhile.
    """
    run = get_scoped(Run.objects.all(), caller, uid, by="uid")
    require_on_workflow(caller, Permission.RUNS_RETRY, run.workflow_id)
    with transaction.atomic():
        if Run.objects.filter(id=run.id, is_pinned=not is_pinned).update(is_pinned=is_pinned):
            _audit(caller, run, is_pinned=is_pinned)
    return get_scoped(Run.objects.all(), caller, uid, by="uid")


def _audit(caller: Caller, run: Run, *, is_pinned: bool) -> None:
    record(
        actor=caller,
        workspace_id=run.workspace_id,
        action="run.pin" if is_pinned else "run.unpin",
        target_kind="run",
        target_id=run.uid,
        summary=f"{'Pinned' if is_pinned else 'Unpinned'} a run of workflow {run.workflow_id}.",
        changes={"is_pinned": [not is_pinned, is_pinned]},
    )
