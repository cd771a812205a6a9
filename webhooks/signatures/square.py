"""Square: HMAC-SHA256 over the notification URL and the raw body, base64, in `x-square-hmacsha256-signature`.

Source: square/square-python-sdk, webhooks helper.
"""

from __future__ import annotations

from webhooks.signatures.contract import Attempt, Scheme
from webhooks.signatures.digests import refusal_of_senders_secret
from webhooks.signatures.naming import event_at, text_at
from webhooks.signatures.recipe import Recipe
from webhooks.signatures.url_option import URL_OPTIONS, signed_url


def content(attempt: Attempt, _timestamp: str) -> bytes:
    """What Square signs."""
    return signed_url(attempt) + attempt.body


RECIPE = Recipe("x-square-hmacsha256-signature", "base64", content=content)

SCHEME = Scheme(
    key="square",
    title="Square",
    description="HMAC-SHA256 over address and body in x-square-hmacsha256-signature; repeats are found by event_id.",
    setup="Developer console, Webhooks, Subscriptions: enter the address as Notification URL, exactly; the secret is "
    "the Signature key shown there.",
    verify=RECIPE.verify,
    new_secret=None,
    refusal_of=refusal_of_senders_secret,
    sign=RECIPE.sign,
    event_type=event_at("type"),
    delivery_id=text_at("event_id"),
    options=URL_OPTIONS,
    secret_may_follow=True,
)
