"""Login sessions: open, refresh, end.

A session is a family of tokens of which only the newest refresh token is good.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet

from brainops.accounts.models import LoginSession, User
from brainops.accounts.services import tokens
from brainops.accounts.services.tokens import Token
from brainops.audit.actor import Actor
from brainops.audit.services import record
from brainops.core import clock
from brainops.core.errors import NotAuthenticated
from brainops.core.web.clients import current_ip

_KEPT = timedelta(days=30)  # after the end, for questions about who was logged in
_ENDED = "This login has ended. Log in again."


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a login or a refresh gives."""

    access: str
    refresh: str
    access_expires_in: int  # seconds
    refresh_expires_in: int  # seconds


def open_session(user: User, *, client: str = "", amr: Iterable[str] = ()) -> TokenPair:
    """Start a session for a user who proved who they are; `amr` says how (RFC 8176)."""
    session = LoginSession.objects.create(
        user=user,
        expires_at=_refresh_end(),
        ip=current_ip.get() or None,
        client=_printable(client)[:200],
        amr=list(amr),
        token_version=user.token_version,
    )
    return _pair(session, user)


def refresh(text: str) -> TokenPair:
    """Exchange a refresh token for a new pair; the old one is used up.

    Raises NotAuthenticated. A token that was used before revokes its whole session: either its owner or a thief holds
    the newer one, and nobody can tell which.
    """
    token = tokens.decode(text, "refresh")
    with transaction.atomic():
        session = (
            LoginSession.objects.select_for_update(of=["self"])
            .select_related("user")
            .filter(id=token.session_id, user_id=token.user_id)
            .first()
        )
        if session is None or not _is_alive(session, token):
            raise NotAuthenticated(_ENDED, code="login_ended")
        is_reused = session.refresh_id != token.token_id
        if is_reused:
            _end(session, "refresh token used twice")
        else:
            session.refresh_id = uuid4()
            session.refreshed_at = clock.now()
            session.expires_at = _refresh_end()
            session.save(update_fields=["refresh_id", "refreshed_at", "expires_at"])
    if is_reused:  # raised outside, so that the end of the session is committed
        raise NotAuthenticated(
            "This refresh token was used before, so the login was ended. Log in again.", code="refresh_token_reused"
        )
    return _pair(session, session.user)


def end_session(session_id: UUID, *, reason: str = "logout") -> None:
    """Log out: every token of the session ends at once. Ending it twice does no harm."""
    with transaction.atomic():
        session = (
            LoginSession.objects.select_for_update(of=["self"])
            .select_related("user")
            .filter(id=session_id, revoked_at=None)
            .first()
        )
        if session is not None:
            _end(session, reason)


def living(user_id: UUID) -> QuerySet[LoginSession]:
    """The sessions of a user that are still good, the newest first."""
    same_version = Q(token_version=None) | Q(token_version=F("user__token_version"))
    alive = Q(user_id=user_id, revoked_at=None, expires_at__gt=clock.now(), user__is_active=True)
    return LoginSession.objects.filter(alive & same_version).order_by("-created_at")


def end_all(user: User, *, reason: str) -> int:
    """End every session of a user at once, also those whose tokens nobody has listed; returns how many lived."""
    with transaction.atomic():
        ended = list(living(user.id).select_for_update(of=["self"]).select_related("user"))
        for session in ended:
            _end(session, reason)
        # what is under way just now, and tokens of sessions older than the column: their version is the past's
        User.objects.filter(id=user.id).update(token_version=F("token_version") + 1)
    user.refresh_from_db(fields=["token_version"])
    return len(ended)


def note_second_factor(session_id: UUID, method: str) -> None:
    """A second factor was shown within a session: from now on it counts for it."""
    session = LoginSession.objects.get(id=session_id)
    session.amr = list(dict.fromkeys([*session.amr, method, "mfa"]))
    session.save(update_fields=["amr"])


def forget_old() -> int:
    """Delete sessions that ended more than a month ago; returns how many."""
    return LoginSession.objects.filter(expires_at__lt=clock.now() - _KEPT).delete()[0]


def _end(session: LoginSession, reason: str) -> None:
    session.revoked_at = clock.now()
    session.revoked_because = reason
    session.save(update_fields=["revoked_at", "revoked_because"])
    record(
        actor=Actor("user", session.user_id, session.user.email),
        workspace_id=None,
        action="login.end",
        target_kind="login",
        target_id=session.id,
        summary=f"Login of {session.user.email} ended: {reason}.",
    )


def _is_alive(session: LoginSession, token: Token) -> bool:
    user = session.user
    return (
        session.revoked_at is None
        and session.expires_at > clock.now()
        and user.is_active
        and user.token_version == token.token_version
    )


def _pair(session: LoginSession, user: User) -> TokenPair:
    access_seconds: int = settings.BRAINOPS_ACCESS_TOKEN_SECONDS
    access = Token(
        kind="access",
        user_id=user.id,
        session_id=session.id,
        token_id=uuid4(),
        token_version=user.token_version,
        expires_at=clock.now() + timedelta(seconds=access_seconds),
    )
    renewal = replace(access, kind="refresh", token_id=session.refresh_id, expires_at=session.expires_at)
    return TokenPair(
        access=tokens.encode(access),
        refresh=tokens.encode(renewal),
        access_expires_in=access_seconds,
        refresh_expires_in=settings.BRAINOPS_REFRESH_TOKEN_SECONDS,
    )


def _refresh_end() -> datetime:
    return clock.now() + timedelta(seconds=settings.BRAINOPS_REFRESH_TOKEN_SECONDS)


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())
