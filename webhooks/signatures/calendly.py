"""Calendly: HMAC-SHA256 over `{t}.{body}`, hexadecimal, in `Calendly-Webhook-Signature: t=…,v1=…`.

Source: developer.calendly.com, "Webhook signatures"; its sample allows three minutes.
"""

from __future__ import annotations

from webhooks.signatures.contract import Scheme
from webhooks.signatures.digests import new_text_secret, refusal_of_text_secret
from webhooks.signatures.naming import event_at
from webhooks.signatures.pairs import Paired

PAIRED = Paired("Calendly-Webhook-Signature", separator=",", time="t", signature="v1", joint=b".")

SCHEME = Scheme(
    key="calendly",
    title="Calendly",
    description="HMAC-SHA256 over time and body in Calendly-Webhook-Signature; repeats are found by the body.",
    setup="POST https://api.calendly.com/webhook_subscriptions with the address as url and the secret as signing_key.",
    verify=PAIRED.verify,
    new_secret=new_text_secret,
    refusal_of=refusal_of_text_secret,
    sign=PAIRED.sign,
    event_type=event_at("event"),
    tolerance_seconds=180,
)
