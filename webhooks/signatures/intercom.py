"""Intercom: HMAC-SHA1 over the raw body, hexadecimal, in `X-Hub-Signature: sha1=…`; the key is the client secret.

Source: developers.intercom.com, "Signed notifications". SHA-1 is all that Intercom offers; as an HMAC it still holds.
Any other algorithm in the header is refused.
"""

from __future__ import annotations

from webhooks.signatures.contract import Scheme
from webhooks.signatures.digests import refusal_of_senders_secret
from webhooks.signatures.naming import event_at, text_at
from webhooks.signatures.recipe import Recipe

RECIPE = Recipe("X-Hub-Signature", algorithm="sha1", prefix="sha1=")

SCHEME = Scheme(
    key="intercom",
    title="Intercom",
    description="HMAC-SHA1 over the raw body in X-Hub-Signature; repeats are found by the notification's id.",
    setup="Developer hub, your app, Webhooks: enter the address as Endpoint URL; the secret is the app's client "
    "secret.",
    verify=RECIPE.verify,
    new_secret=None,
    refusal_of=refusal_of_senders_secret,
    sign=RECIPE.sign,
    event_type=event_at("topic"),
    delivery_id=text_at("id"),
    pings=frozenset({"ping"}),
    secret_may_follow=True,
)
