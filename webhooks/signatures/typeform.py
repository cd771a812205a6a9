"""Typeform: HMAC-SHA256 over the raw body, base64, in `Typeform-Signature: sha256=…`.

Source: Typeform developers, "Secure your webhooks". There is no timestamp: a replay is found by the body's `event_id`.
"""

from __future__ import annotations

from webhooks.signatures.contract import Scheme
from webhooks.signatures.digests import new_text_secret, refusal_of_text_secret
from webhooks.signatures.naming import event_at, text_at
from webhooks.signatures.recipe import Recipe

RECIPE = Recipe("Typeform-Signature", "base64", prefix="sha256=")

SCHEME = Scheme(
    key="typeform",
    title="Typeform",
    description="HMAC-SHA256 over the raw body in Typeform-Signature; repeats are found by the body's event_id.",
    setup="Connect, Webhooks, Add a webhook: enter the address as Endpoint, then Edit, and the secret as Secret.",
    verify=RECIPE.verify,
    new_secret=new_text_secret,
    refusal_of=refusal_of_text_secret,
    sign=RECIPE.sign,
    event_type=event_at("event_type"),
    delivery_id=text_at("event_id"),
)
