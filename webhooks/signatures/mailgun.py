"""Mailgun: HMAC-SHA256 over `{timestamp}{token}`, hexadecimal, inside the JSON body.

Source: mailgun/mailgun-python, security.py. Only time and token are signed, **not the event**: whoever has seen one
delivery can write another body around them until the token was taken once or the time is over. The token is therefore
the delivery's name, and works once.
"""

from __future__ import annotations

from typing import Any

from webhooks.signatures.contract import Attempt, Scheme, Verdict, refused, verified
from webhooks.signatures.digests import hmacs_sha256, matches_any, refusal_of_senders_secret
from webhooks.signatures.moments import on_time, read_moment
from webhooks.signatures.naming import event_at
from webhooks.signatures.recipe import decode

LONGEST_TOKEN = 200


def verify(attempt: Attempt) -> Verdict:
    """Judge a delivery by the `signature` object of its body."""
    timestamp, token, signature = (_text(attempt.read(), name) for name in ("timestamp", "token", "signature"))
    if not signature:
        return refused("signature_missing", 'The body holds no "signature" with timestamp, token and signature.')
    given = decode(signature, "hex")
    if not given or not 0 < len(token) <= LONGEST_TOKEN:
        return refused(
            "signature_malformed", 'The "signature" of the body must hold a token and 64 hexadecimal digits.'
        )
    moment = read_moment(timestamp, "seconds", '"signature.timestamp"')
    if isinstance(moment, Verdict):
        return moment
    keys = (secret.encode() for secret in attempt.secrets)
    if not matches_any([given], hmacs_sha256(keys, f"{timestamp}{token}".encode(errors="replace"))):
        message = "The signature was not made from this timestamp and token with the endpoint's key."
        return refused("signature_wrong", message, delivery_id=token)
    return on_time(moment, attempt, token) or verified(token)


def _text(body: Any, name: str) -> str:
    signature = body.get("signature") if isinstance(body, dict) else None
    value = signature.get(name) if isinstance(signature, dict) else None
    return value if isinstance(value, str) else ""


SCHEME = Scheme(
    key="mailgun",
    title="Mailgun",
    description="HMAC-SHA256 over time and token inside the JSON body; the token works once. "
    "Mailgun does not sign the event itself.",
    setup="Sending, Webhooks, Add webhook: enter the address as URL; the secret is the HTTP webhook signing key.",
    verify=verify,
    new_secret=None,
    refusal_of=refusal_of_senders_secret,
    event_type=event_at("event-data", "event"),
    secret_may_follow=True,
)
