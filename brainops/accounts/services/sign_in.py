"""Sign in: what comes after a password or an identity provider, for the API and for pages alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from brainops.accounts.models import OneTimeToken, TokenPurpose, User
from brainops.accounts.services import login, one_time, second_factors, security_keys, sessions
from brainops.accounts.services.sessions import TokenPair
from brainops.audit.actor import Actor
from brainops.audit.services import record
from brainops.core.errors import NotAuthenticated

TICKET_SECONDS = 300
MFA = "mfa"  # in `amr`: a second factor was shown (RFC 8176)


def with_password(name: str, password: str, *, client: str) -> TokenPair:
    """Tokens for a name and a password. Raises NotAuthenticated; `mfa_required` carries a ticket for `with_code`."""
    return finish(login.check_password(name, password), amr=("pwd",), client=client)


def finish(user: User, *, amr: Sequence[str], client: str) -> TokenPair:
    """Tokens for a user who has shown a first factor, unless a second one is missing."""
    if needs_code(user, amr):
        raise NotAuthenticated(
            "This login needs a code of your authenticator app. Send it with the ticket to /auth/token/mfa.",
            code="mfa_required",
            details={"ticket": ticket_for(user, amr=amr), "ticket_expires_in": TICKET_SECONDS},
        )
    return _open(user, amr=amr, client=client)


def with_code(ticket: str, code: str, *, client: str) -> TokenPair:
    """Tokens for the ticket of a first factor and a code. A wrong code leaves the ticket good for its minutes."""
    user, amr = redeem(ticket, code)
    return _open(user, amr=amr, client=client)


def needs_code(user: User, amr: Sequence[str]) -> bool:
    """True when a second factor is set up and was not shown."""
    return MFA not in amr and second_factors.has_any(user)


def ticket_for(user: User, *, amr: Sequence[str]) -> str:
    """A token that says: the first factor was right. It is good for nothing but showing the second."""
    data = {"amr": list(amr), "version": user.token_version}
    return one_time.issue(TokenPurpose.SECOND_FACTOR, seconds=TICKET_SECONDS, user=user, data=data)


def redeem(ticket: str, code: str) -> tuple[User, list[str]]:
    """The user of a ticket and all they have shown, when the code is right. Raises NotAuthenticated."""
    row, user = _looked_at(ticket)
    return _redeemed(row, user, second_factors.check(user, code))


def redeem_with_key(ticket: str, *, state: Mapping[str, Any], answer: str) -> tuple[User, list[str]]:
    """The same for a security key's answer."""
    row, user = _looked_at(ticket)
    return _redeemed(row, user, security_keys.check(user, state=state, answer=answer))


def user_of(ticket: str) -> User:
    """Whose login a ticket is; it stays good. Raises NotAuthenticated."""
    return _looked_at(ticket)[1]


def record_start(user: User) -> None:
    """Note a login that is complete."""
    record(
        actor=Actor("user", user.id, user.email),
        workspace_id=None,
        action="login.start",
        target_kind="user",
        target_id=user.id,
        summary=f"{user.email} logged in.",
    )


def _open(user: User, *, amr: Sequence[str], client: str) -> TokenPair:
    record_start(user)
    return sessions.open_session(user, client=client, amr=amr)


def _looked_at(ticket: str) -> tuple[OneTimeToken, User]:
    row = one_time.find(TokenPurpose.SECOND_FACTOR, ticket)
    user = row.user if row else None
    if row is None or user is None or not _still_counts(row, user):
        raise _over()
    return row, user


def _redeemed(row: OneTimeToken, user: User, method: str) -> tuple[User, list[str]]:
    if not one_time.take(row):
        raise _over()
    return user, [*row.data["amr"], method, MFA]


def _still_counts(row: OneTimeToken, user: User) -> bool:
    """False when the password was changed or the user was switched off since."""
    return user.is_active and row.data["version"] == user.token_version


def _over() -> NotAuthenticated:
    return NotAuthenticated("This login took too long, or it is complete already. Log in again.", code="ticket_invalid")
