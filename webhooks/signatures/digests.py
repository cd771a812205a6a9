"""What HMAC schemes share: comparing in constant time, and secrets that are long enough."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable

SHORTEST_SECRET_BYTES = 24  # shorter ones can be guessed offline from one captured delivery
SHORTEST_SENDERS_SECRET_BYTES = 16  # 128 random bits are 22 characters in base64: Zoom, Square
LONGEST_SECRET_BYTES = 1024


def hmacs_sha256(keys: Iterable[bytes], message: bytes) -> list[bytes]:
    """HMAC-SHA256 (RFC 2104) of `message` under each key. An empty key signs nothing: anybody has it."""
    return [hmac.digest(key, message, "sha256") for key in keys if key]


def matches_any(given: Iterable[bytes], expected: Iterable[bytes]) -> bool:
    """True when one of `given` equals one of `expected`. Looks at every pair, so time tells nothing."""
    wanted = list(expected)
    found = False
    for signature in given:
        for value in wanted:
            found |= hmac.compare_digest(signature, value)
    return found


def new_text_secret() -> str:
    """256 random bits as 64 hexadecimal digits."""
    return secrets.token_hex(32)


def refusal_of_text_secret(secret: str) -> str | None:
    """Refuse a secret that is used as it is written and is too short or unprintable."""
    size = len(secret.encode())
    if size < SHORTEST_SECRET_BYTES:
        return f"A secret needs at least {SHORTEST_SECRET_BYTES} bytes, this one has {size}. Without one we make it."
    if size > LONGEST_SECRET_BYTES:
        return f"A secret may have at most {LONGEST_SECRET_BYTES} bytes, this one has {size}."
    if not secret.isprintable():
        return "A secret holds printable characters only; this one has a line break or another control character."
    return None


def refusal_of_senders_secret(secret: str) -> str | None:
    """Refuse a secret that the sender made and that cannot be whole. Providers know 22 characters and more."""
    size = len(secret.encode())
    if size < SHORTEST_SENDERS_SECRET_BYTES:
        return (
            f"The sender's secret has at least {SHORTEST_SENDERS_SECRET_BYTES} bytes, this one {size}. Copy all of it."
        )
    if size > LONGEST_SECRET_BYTES:
        return f"A secret may have at most {LONGEST_SECRET_BYTES} bytes, this one has {size}."
    if not secret.isprintable():
        return "A secret holds printable characters only; this one has a line break or another control character."
    return None


def body_identity(body: bytes) -> str:
    """A name for a delivery whose sender gave it none: the same bytes again are the same delivery."""
    return "body:" + hashlib.sha256(body).hexdigest()
