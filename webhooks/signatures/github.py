"""GitHub: HMAC-SHA256 over the raw body, hexadecimal, in `X-Hub-Signature-256`.

Source: GitHub docs, "Validating webhook deliveries". There is no timestamp: a replay is found by its delivery id.
The SHA-1 header that GitHub still sends beside it is never looked at.
"""

from __future__ import annotations

import re
from typing import Any

from webhooks.signatures.contract import Attempt, Draft, Headers, Scheme, Verdict, refused, verified
from webhooks.signatures.digests import (
    body_identity,
    hmacs_sha256,
    matches_any,
    new_text_secret,
    refusal_of_text_secret,
)

SIGNATURE, DELIVERY, EVENT = "x-hub-signature-256", "x-github-delivery", "x-github-event"
_HEX_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


def verify(attempt: Attempt) -> Verdict:
    """Judge a delivery by `X-Hub-Signature-256`."""
    delivery_id = attempt.headers.get(DELIVERY) or None
    header = attempt.headers.get(SIGNATURE, "").strip()
    if not header:
        message = "Header X-Hub-Signature-256 is missing: the request is not signed. Enter the secret at the sender."
        return refused("signature_missing", message, delivery_id=delivery_id)
    prefix, _, given = header.partition("=")
    if prefix != "sha256" or not _HEX_DIGEST.fullmatch(given):
        message = 'Header X-Hub-Signature-256 must read "sha256=" and 64 lower-case hexadecimal digits.'
        return refused("signature_malformed", message, delivery_id=delivery_id)
    expected = hmacs_sha256((secret.encode() for secret in attempt.secrets), attempt.body)
    if not matches_any([bytes.fromhex(given)], expected):
        message = "The signature in X-Hub-Signature-256 was not made from this body with the endpoint's secret."
        return refused("signature_wrong", message, delivery_id=delivery_id)
    return verified(delivery_id or body_identity(attempt.body))


def sign(draft: Draft) -> dict[str, str]:
    """The headers GitHub would send."""
    (digest,) = hmacs_sha256([draft.secret.encode()], draft.body)
    return {SIGNATURE: f"sha256={digest.hex()}", DELIVERY: draft.delivery_id, EVENT: draft.event or "push"}


def event_type(headers: Headers, _body: Any) -> str:
    """The event of `X-GitHub-Event`: push, pull_request, ping."""
    return headers.get(EVENT, "")


SCHEME = Scheme(
    key="github",
    title="GitHub",
    description="HMAC-SHA256 over the raw body in X-Hub-Signature-256; repeats are found by X-GitHub-Delivery.",
    setup="Settings, Webhooks, Add webhook: enter the address as Payload URL, the secret as Secret, and choose "
    "application/json.",
    verify=verify,
    new_secret=new_text_secret,
    refusal_of=refusal_of_text_secret,
    sign=sign,
    event_type=event_type,
    pings=frozenset({"ping"}),
    form_field="payload",
)
