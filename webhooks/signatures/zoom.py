"""Zoom: HMAC-SHA256 over `v0:{timestamp}:{body}`, hexadecimal, in `x-zm-signature: v0=…`.

Source: zoom/webhook-sample, index.js. `endpoint.url_validation` asks for the HMAC of a token under the same key. That
token is taken only without a colon and other signs: else whoever asks could have a forged delivery signed.
"""

from __future__ import annotations

import hmac
import re
from typing import Any

from webhooks.signatures.contract import Attempt, Reply, Scheme
from webhooks.signatures.digests import refusal_of_senders_secret
from webhooks.signatures.naming import event_at, fields_of, text_at
from webhooks.signatures.recipe import Recipe

VALIDATION = "endpoint.url_validation"
_TOKEN = re.compile(r"[A-Za-z0-9_=+/-]{1,200}", re.ASCII)
_EVENT, _PLAIN = text_at("event"), text_at("payload", "plainToken")


def content(attempt: Attempt, timestamp: str) -> bytes:
    """What Zoom signs."""
    return b"v0:" + timestamp.encode() + b":" + attempt.body


RECIPE = Recipe("x-zm-signature", prefix="v0=", content=content, timestamp="x-zm-request-timestamp")


def greet(attempt: Attempt) -> Reply | None:
    """Answer a validation that is not signed."""
    is_signed = "x-zm-signature" in attempt.headers
    return None if is_signed or VALIDATION.encode() not in attempt.body else confirm(attempt, fields_of(attempt))


def confirm(attempt: Attempt, body: Any) -> Reply | None:
    """Prove that the secret is known here; with the newest one."""
    token = _PLAIN(body)
    if _EVENT(body) != VALIDATION or not token or not _TOKEN.fullmatch(token) or not attempt.secrets:
        return None
    proof = hmac.digest(attempt.secrets[0].encode(), token.encode(), "sha256").hex()
    return Reply(f'{{"plainToken":"{token}","encryptedToken":"{proof}"}}'.encode(), "application/json")


SCHEME = Scheme(
    key="zoom",
    title="Zoom",
    description="HMAC-SHA256 over time and body in x-zm-signature. The validation endpoint.url_validation is answered.",
    setup="Marketplace, your app, Features, Event Subscriptions: the secret is the Secret Token shown there; enter the "
    "address as Event notification endpoint URL and press Validate.",
    verify=RECIPE.verify,
    new_secret=None,
    refusal_of=refusal_of_senders_secret,
    sign=RECIPE.sign,
    event_type=event_at("event"),
    secret_may_follow=True,
    greet=greet,
    confirm=confirm,
)
