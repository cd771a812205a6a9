"""How many workspaces, people, workflows and triggers there are in the whole installation."""

from __future__ import annotations

from django.db.models import Count, Q

from automation.models import Trigger, Workflow
from brainops.accounts.models import User, Workspace


def count() -> dict[str, int]:
    """Counts by what is counted; one query for each table."""
    is_shelved = Q(archived_at__isnull=False)
    workflows = Workflow.objects.aggregate(
        workflows=Count("id"),
        active_workflows=Count("id", filter=Q(is_active=True) & ~is_shelved),
        archived_workflows=Count("id", filter=is_shelved),
    )
    triggers = Trigger.objects.aggregate(triggers=Count("id"), active_triggers=Count("id", filter=Q(is_active=True)))
    users = User.objects.aggregate(users=Count("id"), active_users=Count("id", filter=Q(is_active=True)))
    return {"workspaces": Workspace.objects.count(), **users, **workflows, **triggers}
