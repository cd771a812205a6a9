"""Leave a workspace, or be removed from it: what one had there is handed over or ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from brainops.accounts.belongings import Counts, departures
from brainops.accounts.caller import Caller
from brainops.accounts.models import ApiKey, Invitation, Membership, Role, User
from brainops.accounts.policy import Permission
from brainops.accounts.scoping import get_scoped, scoped
from brainops.accounts.services import api_keys
from brainops.accounts.services.members import require_rank
from brainops.accounts.services.people_lock import people_locked, refuse_last_owner
from brainops.audit.services import record
from brainops.core import clock
from brainops.core.errors import InvalidInput, NotFound, PermissionDenied, Problem


@dataclass(frozen=True, slots=True)
class Farewell:
    """What became of a leaving person's things: `handed_over` to the successor, `ended` for good. Rows by kind."""

    member: Membership
    successor: User
    handed_over: dict[str, int]
    ended: dict[str, int]


def what_goes_with(caller: Caller, member_id: UUID | str, *, reassign_to: UUID | None = None) -> Farewell:
    """What `remove` would do, without doing it; the same refusals."""
    return _leave(caller, member_id, reassign_to, lambda found: None)


def remove(caller: Caller, member_id: UUID | str, *, reassign_to: UUID | None = None) -> Farewell:
    """Take a member out of the workspace, or leave it when it is the caller.

    Workflows, and approvals that ask the person by name, go to the successor: the member `reassign_to`, else whoever
    removes, else (when leaving) the first active Owner. The person's API keys and open invitations end. Raises Conflict
    for the last active Owner.
    """

    def finish(found: Farewell) -> None:
        _hand_over(caller, found)
        _end_keys_and_invitations(caller, found.member)
        _record(caller, found)
        Membership.objects.filter(id=found.member.id).delete()  # the row in hand is still told

    return _leave(caller, member_id, reassign_to, finish)


def _leave(
    caller: Caller, member_id: UUID | str, reassign_to: UUID | None, finish: Callable[[Farewell], None]
) -> Farewell:
    with people_locked(caller) as now:
        member = get_scoped(Membership.objects.select_related("user"), now, member_id)
        _require(now, member)
        refuse_last_owner(member)
        successor = _successor(now, member, reassign_to)
        counts: dict[str, int] = {}
        for departure in departures.values():
            _add(counts, departure.count(member.workspace_id, member.user))
        found = Farewell(member, successor, counts, _ending(member))
        finish(found)
    return found


def _require(caller: Caller, member: Membership) -> None:
    """Everybody may leave, in person; removing others is for admins, and nobody removes somebody above them."""
    if member.user_id == caller.user_id and caller.via != "admin":
        if caller.via == "api_key":
            raise PermissionDenied("An API key cannot take its own user out of the workspace. Log in to leave.")
        return
    caller.require(Permission.MEMBERS_WRITE)
    require_rank(caller, Role(member.role))


def _successor(caller: Caller, member: Membership, reassign_to: UUID | None) -> User:
    others = scoped(Membership.objects.select_related("user"), caller).exclude(id=member.id)
    others = others.filter(user__is_active=True)
    if reassign_to is not None:
        caller.require(Permission.WORKFLOWS_ASSIGN)
        try:
            return get_scoped(others, caller, reassign_to).user
        except NotFound as error:
            said = "reassign_to names no other active member of this workspace."
            raise InvalidInput(said, problems=[Problem("not_found", said, parameter="reassign_to")]) from error
    by_removal = others.filter(user=caller.user_id).first()
    heir = by_removal or others.filter(role=Role.OWNER).order_by("created_at", "id").first()
    if heir is None:
        said = "Nobody is there to take over what this person owns. Name a member: reassign_to=<id>."
        raise InvalidInput(said, problems=[Problem("required", said, parameter="reassign_to")])
    return heir.user


def _hand_over(caller: Caller, found: Farewell) -> None:
    found.handed_over.clear()  # what was counted may have changed: what is done is told
    for departure in departures.values():
        done = departure.hand_over(caller, found.member.workspace_id, found.member.user, found.successor)
        _add(found.handed_over, done)


def _keys(member: Membership) -> list[ApiKey]:
    return list(ApiKey.objects.filter(workspace=member.workspace_id, user=member.user_id, revoked_at=None))


def _ending(member: Membership) -> dict[str, int]:
    return {"api_keys": len(_keys(member)), "invitations": _invitations(member).count()}


def _invitations(member: Membership) -> QuerySet[Invitation]:
    return Invitation.objects.filter(
        workspace=member.workspace_id, invited_by=member.user_id, accepted_at=None, declined_at=None, revoked_at=None
    )


def _end_keys_and_invitations(caller: Caller, member: Membership) -> None:
    # a key dies with the membership anyway, but would be good again if the person ever came back
    for key in _keys(member):
        api_keys.revoke_row(key, by=caller)
    _invitations(member).update(revoked_at=clock.now())


def _record(caller: Caller, found: Farewell) -> None:
    member, is_own = found.member, found.member.user_id == caller.user_id
    record(
        actor=caller,
        workspace_id=member.workspace_id,
        action="member.delete",
        target_kind="user",
        target_id=member.user_id,
        summary=f"{member.user.email} {'left' if is_own else 'was removed'}; {found.successor.email} took over.",
        changes={
            "role": [member.role, None],
            **{name: [count, 0] for name, count in {**found.handed_over, **found.ended}.items()},
        },
    )


def _add(total: dict[str, int], counts: Counts) -> None:
    for name, count in counts.items():
        total[name] = total.get(name, 0) + count
