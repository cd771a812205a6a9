"""Discord: Ed25519 over `{timestamp}{body}`, hexadecimal, in `X-Signature-Ed25519`; the key is the app's public key.

Source: discord-api-docs, "Interactions overview". A PING (type 1) is answered with a PONG; Discord sends wrong
signatures on purpose and wants 401.
"""

from __future__ import annotations

import re
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from webhooks.signatures.contract import Attempt, Headers, Reply, Scheme, Verdict, refused, verified
from webhooks.signatures.digests import body_identity
from webhooks.signatures.moments import on_time, read_moment
from webhooks.signatures.naming import text_at
from webhooks.signatures.recipe import decode, missing, wrong

SIGNATURE, TIMESTAMP = "X-Signature-Ed25519", "X-Signature-Timestamp"
SIGNATURE_BYTES = 64
PING = "1"
_KEY = re.compile(r"[0-9A-Fa-f]{64}", re.ASCII)
_KIND = text_at("type")
_EVENT = text_at("event", "type")


def verify(attempt: Attempt) -> Verdict:
    """Judge a delivery by the app's public key."""
    header = attempt.headers.get(SIGNATURE.lower(), "").strip()
    if not header:
        return missing(SIGNATURE)
    signature = decode(header, "hex")
    if len(signature) != SIGNATURE_BYTES:
        return refused("signature_malformed", f"Header {SIGNATURE} must hold 128 hexadecimal digits.")
    sent = attempt.headers.get(TIMESTAMP.lower(), "").strip()
    moment = read_moment(sent, "seconds", TIMESTAMP)
    if isinstance(moment, Verdict):
        return moment
    content = sent.encode() + attempt.body
    keys = [bytes.fromhex(secret) for secret in attempt.secrets if _KEY.fullmatch(secret)]
    if not any(_is_signed(key, signature, content) for key in keys):
        return wrong(SIGNATURE)
    return on_time(moment, attempt, None) or verified(body_identity(content))


def confirm(_attempt: Attempt, body: Any) -> Reply | None:
    """Answer a PING."""
    is_ping = _KIND(body) == PING and isinstance(body, dict) and "event" not in body
    return Reply(b'{"type":1}', "application/json") if is_ping else None


def event_type(_headers: Headers, body: Any) -> str:
    """The event's type, else the number of the interaction's."""
    return _EVENT(body) or _KIND(body) or ""


def refusal_of(secret: str) -> str | None:
    """Refuse what is no public key."""
    return None if _KEY.fullmatch(secret) else "The app's public key has 64 hexadecimal digits; this is not one."


def _is_signed(key: bytes, signature: bytes, content: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, content)
    except (InvalidSignature, ValueError):
        return False
    return True


SCHEME = Scheme(
    key="discord",
    title="Discord",
    description="Ed25519 over time and body in X-Signature-Ed25519; repeats are found by the interaction's id. "
    "PING is answered.",
    setup="Developer portal, your app, General Information: send the Public key as the secret, then enter the "
    "address as Interactions Endpoint URL (or at Webhooks). Discord waits 3 seconds.",
    verify=verify,
    new_secret=None,
    refusal_of=refusal_of,
    event_type=event_type,
    delivery_id=text_at("id"),
    secret_may_follow=True,
    confirm=confirm,
)
