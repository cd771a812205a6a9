"""Answer an invitation: accept it as who one is, accept it as somebody new, or decline.

The token is the proof. Unknown, expired, revoked and used tokens get the same answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from brainops.accounts.models import Invitation, Membership, Role, User
from brainops.accounts.policy import Permission, role_allows
from brainops.accounts.services import invitations, members
from brainops.accounts.services.login_limits import Limit, take_one
from brainops.accounts.services.people import free_username
from brainops.accounts.services.people_lock import lock_people
from brainops.audit.actor import Actor
from brainops.audit.services import record
from brainops.core.errors import Conflict, InvalidInput, NotAuthenticated, NotFound, PermissionDenied, Problem
from brainops.core.web.clients import current_ip, network_of

# One network's tries of tokens; 256 random bits need no limit, the database does.
TRIES = Limit("invitation tries", burst=20, seconds=6)
_LONGEST_TOKEN = 100


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What somebody without an account says of themselves."""

    password: str
    username: str = ""
    name: str = ""


def look(token: str) -> Invitation:
    """The open invitation of a token, to show. Raises NotFound, TooManyRequests."""
    take_one(TRIES, network_of(current_ip.get()), sentence="Too many tries. Wait a moment, then try again.")
    rows = Invitation.objects.filter(invitations.in_state("open"), digest=invitations.digest(token[:_LONGEST_TOKEN]))
    row = rows.select_related("workspace", "invited_by").first()
    if row is None or not _stands(row):
        raise _unknown()
    return row


def account_of(invitation: Invitation) -> User | None:
    """The account of the invited address, when there is one."""
    return User.objects.filter(email=invitation.email).first()


def accept(token: str, *, person_id: UUID | None = None, newcomer: Newcomer | None = None) -> Membership:
    """Become a member: as the known person, who must own the invited address, or as a newcomer.

    Raises NotFound for a token that is good for nothing, NotAuthenticated when the address has an account and nobody is
    logged in, PermissionDenied for somebody else's invitation, InvalidInput for what is wrong with a newcomer's words.
    """
    with _held(token) as row:
        user = _checked_person(row, person_id)
        if user is None:
            user = _make_user(row, newcomer)
        member = members.add(user, row.workspace_id, Role(row.role), by=_actor(user))
        invitations.end(row, "accepted", by=_actor(user), accepted_by=user)
    return member


def decline(token: str) -> None:
    """End an invitation by the invited person."""
    with _held(token) as row:
        invitations.end(row, "declined", by=Actor.anonymous(row.email))


@contextmanager
def _held(token: str) -> Iterator[Invitation]:
    """The invitation, locked: of two who accept at once, the second finds it used."""
    found = look(token)
    with transaction.atomic():
        lock_people(found.workspace_id)
        row = Invitation.objects.select_related("workspace", "invited_by").get(id=found.id)
        is_same = bytes(row.digest) == bytes(found.digest)  # else it was sent again in this moment
        if not is_same or invitations.state_of(row) != "open" or not _stands(row):
            raise _unknown()
        yield row


def _unknown() -> NotFound:
    return NotFound("This invitation does not exist, or it has ended. Ask for a new one.", code="invitation_unknown")


def _stands(row: Invitation) -> bool:
    """True while its inviter might still make it: who lost the right, or was switched off, brings nobody in."""
    inviter = row.invited_by
    if inviter is None:  # the product itself, or an account that was erased
        return True
    if not inviter.is_active:
        return False
    role = Membership.objects.filter(user=inviter, workspace=row.workspace_id).values_list("role", flat=True).first()
    if role is None:
        return inviter.is_staff
    return role_allows(Role(role), Permission.MEMBERS_WRITE) and Role(row.role).rank <= Role(role).rank


def _checked_person(row: Invitation, person_id: UUID | None) -> User | None:
    user = account_of(row)
    if person_id is not None:
        if user is None or user.id != person_id:
            raise PermissionDenied(
                f"This invitation is for {row.email}. Log in with that address, or log out.", code="not_your_invitation"
            )
        return user
    if user is not None:
        raise NotAuthenticated(f"{row.email} has an account. Log in with it, then accept.", code="login_required")
    return None


def _make_user(row: Invitation, newcomer: Newcomer | None) -> User:
    if newcomer is None:
        said = "Choose a password: this address has no account yet."
        raise InvalidInput.from_problems([Problem("required", said, "/password")])
    username = newcomer.username.strip() or free_username(row.email.partition("@")[0])
    user = User(email=row.email, username=username, name=newcomer.name.strip())
    problems = [*_wrong_fields(user), *_wrong_password(newcomer.password, user)]
    if problems:
        raise InvalidInput.from_problems(problems)
    user.set_password(newcomer.password)
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as error:  # another invitation, or another person, was faster by a moment
        raise Conflict("The user name or the address was taken in this very moment. Try again.") from error
    record(
        actor=_actor(user),
        workspace_id=None,
        action="user.create",
        target_kind="user",
        target_id=user.id,
        summary=f"{user.email} made an account by an invitation.",
    )
    return user


def _wrong_fields(user: User) -> list[Problem]:
    try:
        user.full_clean(exclude=["password"])
    except ValidationError as error:
        return [
            Problem("invalid", message, f"/{'username' if field == '__all__' else field}")
            for field, messages in error.message_dict.items()
            for message in messages
        ]
    return []


def _wrong_password(password: str, user: User) -> list[Problem]:
    try:
        validate_password(password, user)
    except ValidationError as error:
        return [Problem("weak_password", message, "/password") for message in error.messages]
    return []


def _actor(user: User) -> Actor:
    return Actor("user", user.id, user.email)
