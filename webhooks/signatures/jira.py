"""Jira Cloud: HMAC-SHA256 over the raw body, hexadecimal, in `X-Hub-Signature: sha256=…` (since February 2024).

Source: Atlassian, "Webhooks", "Secure your webhooks". Repeats carry the same `X-Atlassian-Webhook-Identifier`.
"""

from __future__ import annotations

from webhooks.signatures.contract import Scheme
from webhooks.signatures.digests import new_text_secret, refusal_of_text_secret
from webhooks.signatures.naming import event_at
from webhooks.signatures.recipe import Recipe

RECIPE = Recipe("X-Hub-Signature", prefix="sha256=", id="X-Atlassian-Webhook-Identifier")

SCHEME = Scheme(
    key="jira",
    title="Jira, Atlassian",
    description="HMAC-SHA256 over the raw body in X-Hub-Signature; repeats are found by "
    "X-Atlassian-Webhook-Identifier.",
    setup="Settings, System, WebHooks, Create: enter the address as URL and the secret as Secret.",
    verify=RECIPE.verify,
    new_secret=new_text_secret,
    refusal_of=refusal_of_text_secret,
    sign=RECIPE.sign,
    event_type=event_at("webhookEvent"),
)
