"""What was done to one thing, newest first: for people who find it other than they left it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from brainops.audit.models import AuditEntry


def history_of(kind: str, target_id: UUID | str, *, most: int, but: Sequence[str] = ()) -> list[dict[str, Any]]:
    """The newest entries about a thing, `but` some actions: `{"at", "by", "action", "summary", "changes"}`.

    Rights are the caller's matter: whoever may read the thing is told who changed it.
    """
    rows = AuditEntry.objects.filter(target_kind=kind, target_id=str(target_id)).exclude(action__in=but)
    return [
        {
            "at": row.at.isoformat(),
            "by": row.actor_label,
            "action": row.action,
            "summary": row.summary,
            "changes": row.changes,
        }
        for row in rows.order_by("-id")[:most]
    ]
