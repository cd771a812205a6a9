"""Sign what we send, as Standard Webhooks says: HMAC-SHA256 over `{id}.{timestamp}.{body}`, version `v1`.

Source: standardwebhooks.com specification 1.0.0. The id stays the same when a message is sent again.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Iterable

PREFIX = "whsec_"


def new_secret() -> str:
    """`whsec_` and 256 random bits in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def signed_headers(
    secret: str, body: bytes, *, message_id: str, timestamp: int, also: Iterable[str] = ()
) -> dict[str, str]:
    """The three headers of a message; `secret` is base64, with or without its prefix.

    `also` are secrets that sign it as well: while one is exchanged a receiver may know either.
    """
    signed = f"{message_id}.{timestamp}.".encode() + body
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(_signature(one, signed) for one in (secret, *also)),
    }


def _signature(secret: str, signed: bytes) -> str:
    digest = hmac.digest(base64.b64decode(secret.removeprefix(PREFIX)), signed, "sha256")
    return f"v1,{base64.b64encode(digest).decode()}"
