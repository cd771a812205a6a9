"""PayPal: RSA with SHA-256 over `{id}|{time}|{webhook id}|{CRC-32 of the body}`, base64, in `PAYPAL-TRANSMISSION-SIG`.

Source: paypal/PayPal-Python-SDK, notifications.py; docs.paypal.ai, "Verify a webhook". The certificate is published at
`PAYPAL-CERT-URL`, which must be PayPal's: no other host is ever asked. PayPal repeats a delivery for three days under
the same time, so a replay is found by the transmission's id, which is signed.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

from cryptography.hazmat.primitives.hashes import SHA256

from webhooks.signatures.contract import Attempt, Certificates, Scheme, Verdict, refused, verified
from webhooks.signatures.naming import event_at
from webhooks.signatures.published import CERTIFICATE_OPTION, certificate_of, has_signed, is_allowed
from webhooks.signatures.recipe import missing, wrong
from webhooks.signatures.stamps import decode_base64

SIGNATURE = "PAYPAL-TRANSMISSION-SIG"
ALGORITHM = "sha256withrsa"
HOSTS = re.compile(r"api(-m)?(\.sandbox)?\.paypal\.com", re.ASCII)
NAMES = re.compile(r"([a-z0-9-]+\.)+paypal\.com", re.ASCII)
_PARTS = ("paypal-transmission-id", "paypal-transmission-time", "paypal-cert-url")


def verify(attempt: Attempt) -> Verdict:
    """Judge a delivery by the certificate of its address."""
    name, time, url = (attempt.headers.get(part, "").strip() for part in _PARTS)
    header = attempt.headers.get(SIGNATURE.lower(), "").strip()
    if not header:
        return missing(SIGNATURE, name or None)
    signature = decode_base64(header)
    if not signature or not name or not time:
        message = f"The headers PAYPAL-TRANSMISSION-ID, -TIME and {SIGNATURE} (base64) belong together."
        return refused("signature_malformed", message, delivery_id=name or None)
    if not attempt.options.get("webhook_id"):
        return refused("webhook_id_missing", "This webhook's options name no webhook_id yet.", delivery_id=name)
    if attempt.headers.get("paypal-auth-algo", "").lower() != ALGORITHM:
        return refused("signature_malformed", "PAYPAL-AUTH-ALGO must be SHA256withRSA.", delivery_id=name)
    if not is_allowed(url, HOSTS):
        return refused(
            "certificate_wrong", "PAYPAL-CERT-URL is no address of PayPal; it was not called.", delivery_id=name
        )
    certificate = certificate_of(attempt, url, NAMES)
    if isinstance(certificate, Verdict):
        return refused(certificate.code, certificate.message, delivery_id=name)
    if not has_signed(certificate, signature, signed(attempt, name, time), SHA256()):
        return wrong(SIGNATURE, name)
    return verified(name)


def signed(attempt: Attempt, name: str, time: str) -> bytes:
    """What PayPal signs: the webhook id makes it good for this webhook only."""
    webhook_id = attempt.options.get("webhook_id", "")
    return f"{name}|{time}|{webhook_id}|{zlib.crc32(attempt.body)}".encode(errors="replace")


def wanted(attempt: Attempt) -> Sequence[str]:
    """The certificate's address, when it is one of PayPal's and none is pinned."""
    url = attempt.headers.get("paypal-cert-url", "").strip()
    return () if attempt.options.get("certificate") or not is_allowed(url, HOSTS) else (url,)


def no_secret(_secret: str) -> str | None:
    """There is nothing a secret could be used for."""
    return "PayPal signs with its certificate, so this scheme takes no secret. Leave it out."


SCHEME = Scheme(
    key="paypal",
    title="PayPal",
    description="RSA signature in PAYPAL-TRANSMISSION-SIG by PayPal's published certificate; repeats are found by "
    "PAYPAL-TRANSMISSION-ID.",
    setup="Developer dashboard, your app, Webhooks, Add: enter the address; the Webhook ID that is shown then goes "
    "into the option webhook_id. There is no secret.",
    verify=verify,
    new_secret=None,
    refusal_of=no_secret,
    event_type=event_at("event_type"),
    takes_secret=False,
    options={
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "webhook_id": {
                "type": "string",
                "title": "Webhook ID",
                "description": "What PayPal calls this webhook. Without it every delivery is refused.",
                "pattern": "^[A-Za-z0-9-]+$",
                "minLength": 1,
                "maxLength": 100,
            },
            "certificate": CERTIFICATE_OPTION,
        },
    },
    certificates=Certificates(wanted, has_chain=True),
)
