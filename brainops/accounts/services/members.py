"""Members of a workspace: find them, change their roles."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q, QuerySet

from brainops.accounts.caller import Caller
from brainops.accounts.models import Membership, Role, User
from brainops.accounts.policy import Permission
from brainops.accounts.scoping import get_scoped, scoped
from brainops.accounts.services.people_lock import people_locked, refuse_last_owner
from brainops.audit.actor import HasActor
from brainops.audit.services import record
from brainops.core.errors import Conflict, PermissionDenied


def find(caller: Caller, *, role: str | None = None, search: str | None = None) -> QuerySet[Membership]:
    """The members of the caller's workspace. `search` looks into address, user name and name."""
    caller.require(Permission.MEMBERS_READ)
    rows = scoped(Membership.objects.select_related("user"), caller)
    if role:
        rows = rows.filter(role=role)
    if search:
        fields = ("user__email", "user__username", "user__name")
        rows = rows.filter(Q(*((f"{field}__icontains", search) for field in fields), _connector=Q.OR))
    return rows


def get(caller: Caller, member_id: UUID | str) -> Membership:
    """One member. Raises NotFound for a foreign id, too."""
    return get_scoped(find(caller), caller, member_id)


def change_role(caller: Caller, member_id: UUID | str, role: Role) -> Membership:
    """Give a member another role; their keys follow it at the next request.

    Nobody gives, or takes from, a role above their own, and the last active Owner stays one.
    """
    caller.require(Permission.MEMBERS_WRITE)
    with people_locked(caller) as now:
        now.require(Permission.MEMBERS_WRITE)
        member = get_scoped(Membership.objects.select_related("user"), now, member_id)
        require_rank(now, Role(member.role), role)
        if role == member.role:
            return member
        refuse_last_owner(member)
        set_role(member, role, by=caller)
    return member


def why_not_demoted(member_id: UUID) -> str:
    """Why this member must stay Owner; "" when nothing keeps them. For forms that ask before they write."""
    member = Membership.objects.filter(id=member_id).first()
    if member is None:
        return "This member has left."
    try:
        refuse_last_owner(member)
    except Conflict as refusal:
        return refusal.message
    return ""


def set_role(member: Membership, role: Role, *, by: HasActor) -> None:
    """Write a role, without a question about rights. Call it with the people locked."""
    before, member.role = member.role, role
    member.save(update_fields=["role"])
    record(
        actor=by,
        workspace_id=member.workspace_id,
        action="member.update",
        target_kind="user",
        target_id=member.user_id,
        summary=f"{member.user.email} is {role} instead of {before}.",
        changes={"role": [before, role]},
    )


def add(user: User, workspace_id: UUID, role: Role, *, by: HasActor) -> Membership:
    """Make somebody a member, without a question about rights. Call it with the people locked.

    Who is one already keeps the higher role.
    """
    member, is_new = Membership.objects.get_or_create(user=user, workspace_id=workspace_id, defaults={"role": role})
    if not is_new:
        if Role(member.role).rank < role.rank:
            set_role(member, role, by=by)
        return member
    record(
        actor=by,
        workspace_id=workspace_id,
        action="member.create",
        target_kind="user",
        target_id=user.id,
        summary=f"{user.email} is a member as {role}.",
        changes={"role": [None, role]},
    )
    return member


def require_rank(caller: Caller, *roles: Role) -> None:
    """Raise PermissionDenied when one of the roles stands above the caller's own."""
    above = [role for role in roles if role.rank > caller.role.rank]
    if above:
        raise PermissionDenied(
            f"Your role is {caller.role}; nobody gives or touches the higher role {above[0]}. Ask an Owner.",
            code="role_above_own",
            details={"role": caller.role.value},
        )
