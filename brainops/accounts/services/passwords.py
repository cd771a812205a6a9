"""Passwords: change one's own, and set a new one by the link of a mail."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from brainops.accounts.models import TokenPurpose, User
from brainops.accounts.services import login, login_limits, one_time, sessions
from brainops.accounts.services.hashing import places
from brainops.accounts.services.sessions import TokenPair
from brainops.audit.actor import Actor
from brainops.audit.services import record
from brainops.core.errors import InvalidInput, NotFound, Problem
from brainops.core.web.clients import current_ip

LINK_SECONDS = 3600


def change(user: User, *, old: str, new: str, amr: Sequence[str], client: str) -> TokenPair:
    """Set a new password and end every login; returns a new pair for who changed it.

    Raises InvalidInput for a wrong old password or a weak new one, TooManyRequests before anything is hashed.
    """
    check_strength(new, user, pointer="/new_password")
    login.require_own_password(user, old, pointer="/old_password")
    set_password(user, new, reason="password changed", by=Actor("user", user.id, user.email))
    return sessions.open_session(user, client=client, amr=amr)


def check_link(token: str) -> User:
    """The user of a link that is still good. Raises NotFound; limited by visitor."""
    login_limits.take_visit(current_ip.get())
    row = one_time.find(TokenPurpose.PASSWORD_RESET, token)
    user = row.user if row else None
    if row is None or user is None or not user.is_active or row.data != _meant_for(user):
        raise NotFound("This link was used, or it is older than an hour. Ask for a new one.", code="link_invalid")
    return user


def reset(token: str, new: str) -> None:
    """Set a new password by the link of a mail, which is used up by it; every login ends. A second factor stays."""
    user = check_link(token)
    check_strength(new, user, pointer="/password")
    if one_time.use(TokenPurpose.PASSWORD_RESET, token) is None:
        raise NotFound("This link was used just now.", code="link_invalid")
    set_password(user, new, reason="password reset", by=Actor("user", user.id, user.email))
    login_limits.give_back(user.email, current_ip.get())


def link_for(user: User) -> str:
    """A token that lets a user set a new password; the ones before it end."""
    one_time.drop_all(TokenPurpose.PASSWORD_RESET, user)
    return one_time.issue(TokenPurpose.PASSWORD_RESET, seconds=LINK_SECONDS, user=user, data=_meant_for(user))


def set_password(user: User, new: str, *, reason: str, by: Actor) -> None:
    """Hash and store a password and end every login of the user. The lists of the checks were asked before."""
    with places.take():
        user.set_password(new)
    with transaction.atomic():
        user.save(update_fields=["password"])
        sessions.end_all(user, reason=reason)
        one_time.drop_all(TokenPurpose.PASSWORD_RESET, user)
        one_time.drop_all(TokenPurpose.SECOND_FACTOR, user)
        record(
            actor=by,
            workspace_id=None,
            action="user.password",
            target_kind="user",
            target_id=user.id,
            summary=f"Set a new password for {user.email} ({reason}).",
        )


def check_strength(password: str, user: User, *, pointer: str) -> None:
    """Refuse a weak password, with everything that is wrong with it. Raises InvalidInput."""
    if "\0" in password or len(password) > login.LONGEST_PASSWORD:
        message = f"A password has at most {login.LONGEST_PASSWORD} characters, and none of them is NUL."
        raise InvalidInput.from_problems([Problem("password_weak", message, pointer)])
    try:
        validate_password(password, user)
    except ValidationError as error:
        found = [Problem("password_weak", message, pointer) for message in error.messages]
        raise InvalidInput.from_problems(found) from error


def _meant_for(user: User) -> dict[str, object]:
    """Under which password and at which address a link was sent: with another one of these it is worth nothing."""
    return {"version": user.token_version, "email": user.email}
