"""Who receives the mails of a notice: addresses, members, roles, and those whom an approval asks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet

from automation.models import NoticeChannel, NoticeMute, NoticeRule
from brainops.accounts.models import Membership, Role, User
from brainops.accounts.models.user import same_username
from brainops.core import clock

MOST_RECEIVERS = 50  # mails of one notice
SCOPES = ("user", "role", "group")


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where a mail goes. `user_id` is None for an address that is nobody's account here."""

    address: str
    user_id: UUID | None = None


def receivers(
    workspace_id: UUID, named: Iterable[str], *, rule_id: UUID | None, workflow_id: UUID | None
) -> list[Receiver]:
    """The receivers that `named` means now: each once, in the order of names, without those who want no mail.

    `named` are addresses, `user:<username or address>`, `role:<role>` and `group:<name>`; a role answers to higher
    ones, too. An address of a member is that member.
    """
    members = _members(workspace_id)
    muted = set(_silences(workspace_id, rule_id, workflow_id).values_list("user_id", flat=True))
    found: dict[str, Receiver] = {}
    for name in named:
        scope, colon, word = name.partition(":")
        rows = members.filter(_who(scope, word)) if colon else members.filter(user__email=name.lower())
        hits = [Receiver(row.user.email, row.user_id) for row in rows.order_by("user__email")[:MOST_RECEIVERS]]
        for one in hits or ([] if colon else [Receiver(name)]):
            found.setdefault(one.address.lower(), one)
    return [one for one in found.values() if one.user_id is None or one.user_id not in muted][:MOST_RECEIVERS]


def named_members(workspace_id: UUID, named: Iterable[str]) -> list[str]:
    """The addresses of the active members that `named` means now: each once, in the order of names."""
    members = _members(workspace_id)
    found: dict[str, None] = {}
    for name in named:
        scope, _, word = name.partition(":")
        rows = members.filter(_who(scope, word)).order_by("user__email")
        found |= dict.fromkeys(rows.values_list("user__email", flat=True)[:MOST_RECEIVERS])
    return list(found)[:MOST_RECEIVERS]


def is_anybody(workspace_id: UUID, name: str) -> bool:
    """True when a member answers to `user:…`, `role:…` or `group:…`."""
    scope, _, word = name.partition(":")
    return scope in SCOPES and _members(workspace_id).filter(_who(scope, word)).exists()


def is_reachable(workspace_id: UUID, user_id: UUID, *, rule_id: UUID | None, workflow_id: UUID | None) -> bool:
    """True while somebody is an active member who wants these mails."""
    is_member = _members(workspace_id).filter(user_id=user_id).exists()
    return is_member and not _silences(workspace_id, rule_id, workflow_id).filter(user_id=user_id).exists()


def follow_rename(person: User, old_username: str) -> None:
    """Let rules name a person by their new user name; else whoever takes the old one would get their mails."""
    old, new = f"user:{old_username.lower()}", f"user:{person.username.lower()}"
    for workspace_id in person.memberships.values_list("workspace_id", flat=True):
        rules = NoticeRule.objects.filter(workspace_id=workspace_id, channel=NoticeChannel.EMAIL)
        for rule in rules.order_by("id").select_for_update(no_key=True):  # as a decision about notices locks them
            if any(name.lower() == old for name in rule.recipients):
                rule.recipients = [new if name.lower() == old else name for name in rule.recipients]
                rule.save(update_fields=["recipients"])


def _members(workspace_id: UUID) -> QuerySet[Membership]:
    return Membership.objects.filter(workspace_id=workspace_id, user__is_active=True).select_related("user")


def _silences(workspace_id: UUID, rule_id: UUID | None, workflow_id: UUID | None) -> QuerySet[NoticeMute]:
    """What people have silenced for themselves."""
    now = clock.now()
    rows = NoticeMute.objects.filter(Q(until=None) | Q(until__gt=now), workspace_id=workspace_id, rule_id=rule_id)
    return rows.filter(Q(workflow=None) | Q(workflow_id=workflow_id)).exclude(user=None)


def _who(scope: str, word: str) -> Q:
    if scope == "user":
        return Q(user__email=word.lower()) if "@" in word else same_username(word, of="user__")
    if scope == "group":
        return Q(user__groups__name=word)
    return Q(role__in=[role for role in Role if word in Role.values and role.rank >= Role(word).rank])
