"""SendGrid (Twilio): ECDSA P-256 with SHA-256 over `{timestamp}{body}`, DER in base64.

Source: sendgrid/sendgrid-python, helpers/eventwebhook. The sender gives its public key (SPKI in base64). SendGrid
repeats a batch for a day with the same time, and its library allows any age, so a replay is found by its body.
"""

from __future__ import annotations

from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from webhooks.signatures.contract import Attempt, Scheme, Verdict, refused, verified
from webhooks.signatures.digests import body_identity
from webhooks.signatures.moments import read_moment
from webhooks.signatures.recipe import missing, wrong
from webhooks.signatures.stamps import decode_base64

SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"


def verify(attempt: Attempt) -> Verdict:
    """Judge a delivery by the sender's public key. The line break at the body's end is part of it."""
    header = attempt.headers.get(SIGNATURE.lower(), "").strip()
    if not header:
        return missing(SIGNATURE)
    signature = decode_base64(header)
    if not signature:
        return refused("signature_malformed", f"Header {SIGNATURE} must hold a signature in base64.")
    sent = attempt.headers.get(TIMESTAMP.lower(), "").strip()
    moment = read_moment(sent, "seconds", TIMESTAMP)
    if isinstance(moment, Verdict):
        return moment
    content = sent.encode() + attempt.body
    keys = [key for key in map(key_of, attempt.secrets) if key]
    if not any(_is_signed(key, signature, content) for key in keys):
        return wrong(SIGNATURE)
    return verified(body_identity(attempt.body))


@lru_cache(maxsize=256)
def key_of(secret: str) -> EllipticCurvePublicKey | None:
    """The public key of a text; None when it is none."""
    try:
        key = load_der_public_key(decode_base64(secret))
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, EllipticCurvePublicKey) else None


def refusal_of(secret: str) -> str | None:
    """Refuse what is no public key."""
    return None if key_of(secret) else "The sender's public key is the base64 text that SendGrid shows; this is not."


def _is_signed(key: EllipticCurvePublicKey, signature: bytes, content: bytes) -> bool:
    try:
        key.verify(signature, content, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


SCHEME = Scheme(
    key="sendgrid",
    title="SendGrid",
    description="ECDSA over time and body in X-Twilio-Email-Event-Webhook-Signature; the sender gives its public key. "
    "Repeats are found by the body.",
    setup="Settings, Mail Settings, Event Webhook: enter the address as Post URL, enable Signed Event Webhook, and "
    "send the verification key shown there as the secret.",
    verify=verify,
    new_secret=None,
    refusal_of=refusal_of,
    secret_may_follow=True,
)
