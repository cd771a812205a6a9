"""Shopify: HMAC-SHA256 over the raw body, base64, in `X-Shopify-Hmac-Sha256`; the key is the app's client secret.

Source: shopify.dev, "Verify deliveries". There is no timestamp: a replay is found by `X-Shopify-Webhook-Id`.
"""

from __future__ import annotations

from webhooks.signatures.contract import Scheme
from webhooks.signatures.digests import refusal_of_senders_secret
from webhooks.signatures.naming import event_header
from webhooks.signatures.recipe import Recipe

RECIPE = Recipe("X-Shopify-Hmac-Sha256", "base64", id="X-Shopify-Webhook-Id", event="X-Shopify-Topic")

SCHEME = Scheme(
    key="shopify",
    title="Shopify",
    description="HMAC-SHA256 over the raw body in X-Shopify-Hmac-Sha256; repeats are found by X-Shopify-Webhook-Id.",
    setup="Settings, Notifications, Webhooks: enter the address as URL; the secret is shown below the list. For an app "
    "the secret is its client secret. After a rotation the old one may sign for an hour.",
    verify=RECIPE.verify,
    new_secret=None,
    refusal_of=refusal_of_senders_secret,
    sign=RECIPE.sign,
    event_type=event_header("X-Shopify-Topic"),
    secret_may_follow=True,
)
