"""Who may decide an approval: those it is assigned to; without assignees, whoever's role includes it; admins always."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet

from automation.engine.checker import Checker
from automation.models import Approval
from automation.services.field_checks import problems as problems_of
from automation.steps.approval import ASSIGNEE_PATTERN, MOST_ASSIGNEES, normal
from brainops.accounts.caller import Caller
from brainops.accounts.models import Membership, Role, User
from brainops.accounts.models.user import same_username
from brainops.accounts.policy import Permission, role_allows, scopes_allow
from brainops.core.errors import InvalidInput, PermissionDenied, Problem

ASSIGNEES_SCHEMA = {
    "type": "array",
    "minItems": 1,
    "maxItems": MOST_ASSIGNEES,
    "items": {"type": "string", "pattern": ASSIGNEE_PATTERN, "x-hint": '"user:ada", "role:operator" or "group:sales"'},
}

_ASSIGNEES = Checker(ASSIGNEES_SCHEMA)


@dataclass(frozen=True, slots=True)
class Person:
    """A caller as approvals know them: `names` are the assignees this person answers to."""

    caller: Caller
    voter: str
    names: frozenset[str]

    def is_assigned(self, approval: Approval) -> bool:
        """True when the approval asks this person, by name or as one of everybody who may decide."""
        if not approval.assignees:
            return self.caller.may(Permission.APPROVALS_DECIDE)
        return not self.names.isdisjoint(approval.assignees)

    def may_decide(self, approval: Approval) -> bool:
        """True for those it is assigned to and for admins, as far as their key's scopes go."""
        is_in_scope = scopes_allow(self.caller.scopes, Permission.APPROVALS_DECIDE)
        return is_in_scope and (self.is_assigned(approval) or self.is_admin)

    @property
    def is_admin(self) -> bool:
        """Admins and owners may decide whatever is asked of others."""
        return self.caller.role.rank >= Role.ADMIN.rank

    def require(self, approval: Approval) -> None:
        """Raise PermissionDenied unless this person may decide it."""
        if self.may_decide(approval):
            return
        if not approval.assignees or not scopes_allow(self.caller.scopes, Permission.APPROVALS_DECIDE):
            self.caller.require(Permission.APPROVALS_DECIDE)
        raise PermissionDenied(
            f"This approval asks {', '.join(approval.assignees)}, and you are none of them. Ask one of them to decide "
            "or to reassign it, or an admin of the workspace.",
            details={"assignees": approval.assignees},
        )


def person_of(caller: Caller) -> Person:
    """The person behind a caller. A role answers to those below it, too, as it may do all they may."""
    if caller.user_id is None:
        return Person(caller, caller.label, _roles(caller.role))
    user = User.objects.prefetch_related("groups").get(id=caller.user_id)
    return Person(caller, user.username, _names(user) | _roles(_role(caller)))


def asks_user(user_id: UUID) -> Q:
    """Approvals of all workspaces that ask a user: by name or group anywhere, by role where the user is a member."""
    user = User.objects.prefetch_related("groups").get(id=user_id)
    asked = Q(assignees__has_any_keys=sorted(_names(user)))
    for workspace_id, role in Membership.objects.filter(user_id=user_id).values_list("workspace_id", "role"):
        roles = Q(assignees__has_any_keys=sorted(_roles(Role(role))))
        everybody = Q(assignees=[]) if role_allows(Role(role), Permission.APPROVALS_DECIDE) else Q()
        asked |= Q(workspace_id=workspace_id) & (roles | everybody)
    return asked


def checked_assignees(caller: Caller, assignees: Iterable[str]) -> list[str]:
    """The assignees in their one spelling.

    Raises InvalidInput for none, too many, and those that nobody in the workspace answers to.
    """
    assignees = list(assignees)
    wrong = [Problem(one.code, one.message, f"/assignees{one.pointer}") for one in problems_of(_ASSIGNEES, assignees)]
    if wrong:
        raise InvalidInput.from_problems(wrong)
    found = list(dict.fromkeys(map(normal, assignees)))
    members = Membership.objects.filter(workspace_id=caller.workspace(), user__is_active=True)
    problems = [
        Problem(
            "nobody", f"Nobody in this workspace answers to {one!r}. Name a member, a role or a group.", f"/{index}"
        )
        for index, one in enumerate(found)
        if not _answers(members, one)
    ]
    if problems:
        raise InvalidInput.from_problems(
            Problem(problem.code, problem.message, f"/assignees{problem.pointer}") for problem in problems
        )
    return found


def refuse_taking_over(person: Person, approval: Approval, assignees: list[str]) -> None:
    """Who is no admin hands on their own share only; the others stay assigned, so four eyes stay four."""
    if person.is_admin or not approval.assignees:
        return
    dropped = [one for one in approval.assignees if one not in person.names and one not in assignees]
    if dropped:
        raise PermissionDenied(
            f"You may hand on your own share only. Keep {', '.join(dropped)}, or ask an admin of the workspace.",
            details={"keep": dropped},
        )


def _answers(members: QuerySet[Membership], assignee: str) -> bool:
    scope, _, name = assignee.partition(":")
    if scope == "user":
        who = Q(user__email=name) if "@" in name else same_username(name, of="user__")
        return members.filter(who).exists()
    if scope == "group":
        return members.filter(user__groups__name=name).exists()
    return members.filter(role__in=[role for role in Role if role.rank >= Role(name).rank]).exists()


def _role(caller: Caller) -> Role:
    """The caller's own role: staff act as owners in the admin, which is not what they are asked as."""
    if caller.via != "admin" or caller.user_id is None:
        return caller.role
    rows = Membership.objects.filter(user_id=caller.user_id, workspace_id=caller.workspace())
    own = rows.values_list("role", flat=True).first()
    return Role(own) if own else Role.VIEWER


def _names(user: User) -> frozenset[str]:
    groups = (f"group:{one.name}" for one in user.groups.all())
    return frozenset((f"user:{user.username.lower()}", f"user:{user.email}", *groups))


def _roles(role: Role) -> frozenset[str]:
    return frozenset(f"role:{lower}" for lower in Role if lower.rank <= role.rank)
