"""The clock of approvals: who took too long is joined by others, what nobody decided expires."""

from __future__ import annotations

from uuid import UUID

from django.db import connection, transaction

from automation.engine.status import RunStatus
from automation.models import ApprovalState
from automation.store.approvals_due import close, due, escalate
from automation.store.news import give_news
from automation.store.signals import lock_run
from brainops.audit.actor import Actor
from brainops.audit.services import record

BATCH = 100  # of one tick; each is a transaction of about a millisecond


def approvals_due(*, limit: int = BATCH) -> int:
    """Escalate and expire what is due; return how many runs may go on. The caller rings the bell."""
    with connection.cursor() as cursor:
        found = due(cursor, limit=limit)
    return sum(_look_at(approval_id, run_id) for approval_id, run_id in found)


def _look_at(approval_id: UUID, run_id: int) -> bool:
    """One approval, under the lock of its run; True when the run may go on."""
    with transaction.atomic(), connection.cursor() as cursor:
        status = lock_run(cursor, run_id)
        if status is None or RunStatus(status).is_final:
            close(cursor, approval_id, ApprovalState.WITHDRAWN)
            return False
        if close(cursor, approval_id, ApprovalState.EXPIRED):
            return bool(give_news(cursor, [run_id]))
        if escalated := escalate(cursor, approval_id):
            workspace_id, title, assignees = escalated
            record(
                actor=Actor.system("pulse"),
                workspace_id=workspace_id,
                action="approval.escalate",
                target_kind="approval",
                target_id=approval_id,
                summary=f"Nobody decided {title!r} in time; it asks {', '.join(assignees) or 'everybody'} now.",
            )
        return False
