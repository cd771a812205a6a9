"""One-time tokens: issue, look at, use up."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from brainops.accounts.models import OneTimeToken, TokenPurpose, User
from brainops.core import clock, redact

_BYTES = 32
_LETTERS = 43  # 32 bytes in URL-safe base64


def issue(
    purpose: TokenPurpose,
    *,
    seconds: int,
    user: User | None = None,
    data: Mapping[str, Any] | None = None,
    secret: str = "",
) -> str:
    """Make a token and return its text, which is stored nowhere."""
    text = secrets.token_urlsafe(_BYTES)
    redact.register(text)
    OneTimeToken.objects.create(
        purpose=purpose,
        digest=_digest(text),
        user=user,
        data=dict(data or {}),
        secret=secret or None,
        expires_at=clock.now() + timedelta(seconds=seconds),
    )
    return text


def find(purpose: TokenPurpose, text: str) -> OneTimeToken | None:
    """The row of a token that is still good; it stays good."""
    if len(text) != _LETTERS or not text.isascii():
        return None
    return (
        OneTimeToken.objects.select_related("user")
        .filter(purpose=purpose, digest=_digest(text), expires_at__gt=clock.now())
        .first()
    )


def use(purpose: TokenPurpose, text: str) -> OneTimeToken | None:
    """The row of a token that was still good; it is used up by this."""
    row = find(purpose, text)
    return row if row is not None and take(row) else None


def take(row: OneTimeToken) -> bool:
    """Use up a token that was looked at. False when somebody else did."""
    # two may get here with one token: the row count tells who came first
    return OneTimeToken.objects.filter(id=row.id).delete()[0] == 1


def drop_all(purpose: TokenPurpose, user: User) -> None:
    """Make every token of a user for one purpose worthless."""
    OneTimeToken.objects.filter(purpose=purpose, user=user).delete()


def forget_old() -> int:
    """Delete tokens that have expired; returns how many."""
    return OneTimeToken.objects.filter(expires_at__lt=clock.now()).delete()[0]


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
