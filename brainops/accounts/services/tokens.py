"""Access and refresh tokens: JWTs (RFC 7519) signed with HMAC-SHA256, checked as RFC 8725 asks.

The algorithm is fixed, every claim is required and has its type, and the two kinds cannot stand in for each other.
What a token says is believed only together with its login session in the database (`services/sessions.py`).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import jwt

from brainops.core import clock
from brainops.core.crypto import signing_keys
from brainops.core.errors import NotAuthenticated

Kind = Literal["access", "refresh"]

ISSUER = "brainops"
AUDIENCE = "brainops.api"
_PURPOSE = "tokens"
_ALGORITHM = "HS256"
_LONGEST = 2048  # characters; ours have about 500
# The one spelling of a signed form: Python's base64 skips what is no letter of it, so one token would have many.
_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}", re.ASCII)
_STRANGE = "The token is not one of ours. Log in again."
_CLAIMS: dict[str, type] = {
    "iss": str,
    "aud": str,
    "typ": str,
    "sub": str,  # the user
    "sid": str,  # the login session
    "jti": str,
    "tv": int,  # the user's token version
    "iat": int,
    "exp": int,
}


@dataclass(frozen=True, slots=True)
class Token:
    """What a token says."""

    kind: Kind
    user_id: UUID
    session_id: UUID
    token_id: UUID
    token_version: int  # of the user when it was made
    expires_at: datetime


def encode(token: Token) -> str:
    """The signed form."""
    key = signing_keys(_PURPOSE)[0]
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "typ": token.kind,
        "sub": str(token.user_id),
        "sid": str(token.session_id),
        "jti": str(token.token_id),
        "tv": token.token_version,
        "iat": int(clock.now().timestamp()),
        "exp": int(token.expires_at.timestamp()),
    }
    return jwt.encode(claims, key, algorithm=_ALGORITHM, headers={"kid": _key_id(key)})


def decode(text: str, kind: Kind) -> Token:
    """The token behind a signed form. Raises NotAuthenticated: `token_expired` when only that is wrong."""
    if len(text) > _LONGEST or not _SHAPE.fullmatch(text):
        raise NotAuthenticated(_STRANGE, code="token_invalid")
    try:
        claims = jwt.decode(
            text,
            _key_for(text),
            algorithms=[_ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            options={"require": list(_CLAIMS), "verify_exp": False, "verify_iat": False},  # by our own clock, below
        )
        return _token(claims, kind)
    except (jwt.PyJWTError, ValueError) as error:
        raise NotAuthenticated(_STRANGE, code="token_invalid") from error


def _token(claims: dict[str, Any], kind: Kind) -> Token:
    for name, type_ in _CLAIMS.items():
        if type(claims[name]) is not type_:  # exactly: True is an int, too
            raise ValueError(f"the claim {name} has a wrong type")
    if claims["typ"] != kind:
        raise ValueError(f"this is no {kind} token")
    if claims["exp"] <= clock.now().timestamp():
        raise NotAuthenticated("The token has expired. Refresh it, or log in again.", code="token_expired")
    return Token(
        kind=kind,
        user_id=UUID(claims["sub"]),
        session_id=UUID(claims["sid"]),
        token_id=UUID(claims["jti"]),
        token_version=claims["tv"],
        expires_at=datetime.fromtimestamp(claims["exp"], tz=clock.now().tzinfo),
    )


def _key_for(text: str) -> bytes:
    """The key the token names. The name only chooses among our own keys."""
    key_id = jwt.get_unverified_header(text).get("kid")
    for key in signing_keys(_PURPOSE):
        if key_id == _key_id(key):
            return key
    raise ValueError("signed with an unknown key")


def _key_id(key: bytes) -> str:
    return hashlib.sha256(b"kid:" + key).hexdigest()[:12]
