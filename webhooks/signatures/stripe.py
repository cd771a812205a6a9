"""Stripe: HMAC-SHA256 over `{t}.{body}`, hexadecimal, in `Stripe-Signature: t=…,v1=…`.

Source: stripe/stripe-python, _webhook.py. The key is the whole `whsec_` text. While a secret is rolled there are
several `v1`; `v0` is for Stripe's own tests and proves nothing.
"""

from __future__ import annotations

from webhooks.signatures.contract import Scheme
from webhooks.signatures.digests import refusal_of_senders_secret
from webhooks.signatures.naming import event_at, text_at
from webhooks.signatures.pairs import Paired

PAIRED = Paired("Stripe-Signature", separator=",", time="t", signature="v1", joint=b".")

SCHEME = Scheme(
    key="stripe",
    title="Stripe",
    description="HMAC-SHA256 over time and body in Stripe-Signature (v1); repeats are found by the event's id.",
    setup="Workbench, Webhooks, Add destination: enter the address as Endpoint URL; the secret is the Signing secret "
    "(whsec_…) shown afterwards.",
    verify=PAIRED.verify,
    new_secret=None,
    refusal_of=refusal_of_senders_secret,
    sign=PAIRED.sign,
    event_type=event_at("type"),
    delivery_id=text_at("id"),
    secret_may_follow=True,
)
