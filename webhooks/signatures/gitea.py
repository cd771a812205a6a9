"""Gitea and Forgejo: HMAC-SHA256 over the raw body, hexadecimal without a prefix, in `X-Gitea-Signature`.

Source: Gitea docs, "Webhooks". There is no timestamp: a replay is found by its delivery id.
"""

from __future__ import annotations

from webhooks.signatures.contract import Scheme
from webhooks.signatures.digests import new_text_secret, refusal_of_text_secret
from webhooks.signatures.naming import event_header
from webhooks.signatures.recipe import Recipe

RECIPE = Recipe("X-Gitea-Signature", id="X-Gitea-Delivery", event="X-Gitea-Event")

SCHEME = Scheme(
    key="gitea",
    title="Gitea, Forgejo",
    description="HMAC-SHA256 over the raw body in X-Gitea-Signature; repeats are found by X-Gitea-Delivery.",
    setup="Repository, Settings, Webhooks: enter the address as Target URL and the secret as Secret.",
    verify=RECIPE.verify,
    new_secret=new_text_secret,
    refusal_of=refusal_of_text_secret,
    sign=RECIPE.sign,
    event_type=event_header("X-Gitea-Event"),
)
