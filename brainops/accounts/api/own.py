"""What a person does with their own login: a key may not, so that a leaked one cannot take an account over."""

from __future__ import annotations

from uuid import UUID

from brainops.accounts.caller import Caller
from brainops.accounts.models import LoginSession, User
from brainops.core.errors import NotAuthenticated, PermissionDenied


def own_user(caller: Caller) -> User:
    """The user behind an access token. Raises PermissionDenied for an API key."""
    return User.objects.get(id=_login_of(caller)[0])


def own_session(caller: Caller) -> LoginSession:
    """The login of the access token that is sent. Raises PermissionDenied for an API key."""
    user_id, session_id = _login_of(caller)
    session = LoginSession.objects.select_related("user").filter(id=session_id, user_id=user_id).first()
    if session is None:  # ended since the request was let in
        raise NotAuthenticated("This login has ended. Log in again.", code="login_ended")
    return session


def _login_of(caller: Caller) -> tuple[UUID, UUID]:
    if caller.via != "token" or caller.user_id is None or caller.credential_id is None:
        raise PermissionDenied("Only a person who is logged in may do this, not an API key.", code="login_required")
    return caller.user_id, caller.credential_id
