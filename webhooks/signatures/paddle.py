"""Paddle: HMAC-SHA256 over `{ts}:{body}`, hexadecimal, in `Paddle-Signature: ts=…;h1=…`.

Source: PaddleHQ/paddle-python-sdk. Several `h1` stand there while a secret is rotated; Paddle's own tolerance is 5 s.
"""

from __future__ import annotations

from webhooks.signatures.contract import Scheme
from webhooks.signatures.digests import refusal_of_senders_secret
from webhooks.signatures.naming import event_at, text_at
from webhooks.signatures.pairs import Paired

PAIRED = Paired("Paddle-Signature", separator=";", time="ts", signature="h1", joint=b":")

SCHEME = Scheme(
    key="paddle",
    title="Paddle",
    description="HMAC-SHA256 over time and body in Paddle-Signature; repeats are found by event_id.",
    setup="Developer tools, Notifications, New destination: enter the address as URL; the secret key is shown when the "
    "destination is edited. Paddle allows 5 seconds; raise the tolerance when the clock of this server is less exact.",
    verify=PAIRED.verify,
    new_secret=None,
    refusal_of=refusal_of_senders_secret,
    sign=PAIRED.sign,
    event_type=event_at("event_type"),
    delivery_id=text_at("event_id"),
    tolerance_seconds=5,
    secret_may_follow=True,
)
