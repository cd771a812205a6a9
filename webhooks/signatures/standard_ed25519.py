"""Standard Webhooks with the sender's public key: Ed25519 over `{id}.{timestamp}.{body}`, version `v1a`.

Source: standardwebhooks.com specification 1.0.0, "Asymmetric". Only the sender can sign, so there is nothing to
keep secret here and no sample of ours to send.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from webhooks.signatures.contract import Attempt, Scheme, Verdict
from webhooks.signatures.stamps import Stamp, decode_base64, event_in_body, judge

PREFIX = "whpk_"
KEY_BYTES = 32


def verify(attempt: Attempt) -> Verdict:
    """Judge a delivery by its `v1a` signatures."""

    def matches(stamp: Stamp) -> bool:
        content = stamp.content(attempt.body)
        keys = [Ed25519PublicKey.from_public_bytes(key_of(secret)) for secret in attempt.secrets]
        return any(_is_signed(key, signature, content) for key in keys for signature in stamp.signatures)

    return judge(attempt, "v1a", matches)


def key_of(secret: str) -> bytes:
    """The public key's bytes; empty when it cannot be decoded."""
    return decode_base64(secret.removeprefix(PREFIX)) if secret.startswith(PREFIX) else b""


def refusal_of(secret: str) -> str | None:
    """Refuse what is no Ed25519 public key."""
    if len(key_of(secret)) != KEY_BYTES:
        return f'The sender\'s public key is "{PREFIX}" and the base64 of {KEY_BYTES} bytes; this is not.'
    return None


def _is_signed(key: Ed25519PublicKey, signature: bytes, content: bytes) -> bool:
    try:
        key.verify(signature, content)
    except InvalidSignature:
        return False
    return True


SCHEME = Scheme(
    key="standard_ed25519",
    title="Standard Webhooks, public key",
    description="Ed25519 over id, timestamp and body in webhook-signature; the sender gives you its public key.",
    setup="Enter the address as endpoint and send the sender's public key (whpk_…) as the secret.",
    verify=verify,
    new_secret=None,
    refusal_of=refusal_of,
    event_type=event_in_body,
)
