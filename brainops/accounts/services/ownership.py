"""Hand a workspace to another Owner."""

from __future__ import annotations

from uuid import UUID

from brainops.accounts.caller import Caller
from brainops.accounts.models import Membership, Role
from brainops.accounts.policy import Permission
from brainops.accounts.scoping import get_scoped, scoped
from brainops.accounts.services.members import set_role
from brainops.accounts.services.people_lock import people_locked
from brainops.audit.services import record
from brainops.core.errors import Conflict, InvalidInput, NotFound, Problem


def transfer(caller: Caller, *, to: UUID, own_role: Role = Role.ADMIN) -> Membership:
    """Make a member Owner in the caller's place; the caller goes on as `own_role`. Returns the new Owner.

    Both happen or neither. Raises InvalidInput when `to` is no other active member, also when that person left in this
    very moment, and Conflict when they are Owner already.
    """
    caller.require(Permission.WORKSPACE_TRANSFER)
    with people_locked(caller) as now:
        now.require(Permission.WORKSPACE_TRANSFER)
        mine = scoped(Membership.objects.select_related("user"), now).get(user=now.user_id)
        theirs = _target(now, mine, to)
        if theirs.role == Role.OWNER:
            raise Conflict(f"{theirs.user.email} is an Owner already. To step down, change your own role.")
        set_role(theirs, Role.OWNER, by=caller)
        set_role(mine, own_role, by=caller)
        record(
            actor=caller,
            workspace_id=mine.workspace_id,
            action="workspace.transfer",
            target_kind="workspace",
            target_id=mine.workspace_id,
            summary=f"{mine.user.email} handed the workspace to {theirs.user.email}.",
            changes={"owner": [mine.user.email, theirs.user.email]},
        )
    return theirs


def _target(caller: Caller, mine: Membership, to: UUID) -> Membership:
    others = Membership.objects.select_related("user").exclude(id=mine.id).filter(user__is_active=True)
    try:
        return get_scoped(others, caller, to)
    except NotFound as error:
        said = "`to` names no other active member of this workspace."
        raise InvalidInput(said, problems=[Problem("not_found", said, "/to")]) from error
