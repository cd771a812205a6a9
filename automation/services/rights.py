"""Rights on one workflow: the role decides, and its owner keeps a builder's verbs on it."""

from __future__ import annotations

from uuid import UUID

from automation.models import Workflow
from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission
from brainops.core.errors import NotFound


def require_on_workflow(caller: Caller, permission: Permission, workflow_id: UUID) -> None:
    """Raise unless the caller may do this to a workflow of its workspace. Costs a query only when the role says no."""
    if caller.may(permission):
        return
    rows = Workflow.objects.filter(id=workflow_id, workspace_id=caller.workspace())
    found = rows.values_list("owner_id").first()
    if found is None:
        raise NotFound
    caller.require(permission, created_by=found[0])
