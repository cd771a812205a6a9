"""Check a password: limited, in constant time, with an entry in the audit log."""

from __future__ import annotations

from collections.abc import Sequence

from brainops.accounts.models import User
from brainops.accounts.services import login_limits
from brainops.accounts.services.hashing import places
from brainops.audit.actor import Actor
from brainops.audit.services import record
from brainops.core.errors import InvalidInput, NotAuthenticated, Problem
from brainops.core.web.clients import current_ip

LONGEST_PASSWORD = 4096  # characters; hashing costs grow with it


def check_password(name: str, password: str) -> User:
    """The active user of an e-mail address or user name and a password.

    Raises TooManyRequests or Unavailable before anything is hashed, NotAuthenticated otherwise: the same answer after
    the same time for an unknown name, a wrong password and a user who was switched off. A user with a second factor is
    not logged in by this (`sign_in`).
    """
    ip = current_ip.get()
    login_limits.take(name, ip)
    user = _find(name)
    if not _is_right(user, password[:LONGEST_PASSWORD]) or user is None:
        _record_failure(name, user)
        raise NotAuthenticated("The name or the password is wrong.", code="login_failed")
    login_limits.give_back(name, ip)
    return user


def require_own_password(user: User, password: str, *, pointer: str = "/password") -> None:
    """Ask somebody who is logged in for their password again.

    Limited like a login; raises InvalidInput, since the login itself is good.
    """
    ip = current_ip.get()
    login_limits.take(user.email, ip)
    if not _is_right(user, password[:LONGEST_PASSWORD]):
        _record_failure(user.email, user)
        raise InvalidInput.from_problems([Problem("password_wrong", "The password is wrong.", pointer)])
    login_limits.give_back(user.email, ip)


def require_presence(user: User, password: str, amr: Sequence[str]) -> None:
    """Ask for the password again, unless there is none: who came by single sign-on has shown themselves there."""
    if user.has_usable_password() or "sso" not in amr:
        require_own_password(user, password)


def _find(name: str) -> User | None:
    try:
        return User.objects.get_by_natural_key(name.strip())
    except (User.DoesNotExist, ValueError):  # ValueError: a NUL character
        return None


def _is_right(user: User | None, password: str) -> bool:
    """Hash in every case, so that the time tells nothing."""
    with places.take():
        if user is None or not user.has_usable_password():
            User().set_password(password)
            return False
        return user.check_password(password) and user.is_active


def _record_failure(name: str, user: User | None) -> None:
    record(
        actor=Actor.anonymous(),
        workspace_id=None,
        action="login.fail",
        target_kind="user",
        target_id=user.id if user else "",
        # an unknown name may be a password typed into the wrong field: it is not kept
        summary=f"A login as {user.email} failed." if user else "A login with an unknown name failed.",
    )
