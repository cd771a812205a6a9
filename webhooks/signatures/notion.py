"""Notion: HMAC-SHA256 over the raw body, hexadecimal, in `X-Notion-Signature: sha256=…`.

Source: developers.notion.com, "Webhooks"; makenotion/notion-sdk-js, src/webhooks.ts. The key is the verification token
that Notion posts first, unsigned. It is kept in the event log for a person to see and never becomes the secret by
itself: anybody could have sent it.
"""

from __future__ import annotations

from webhooks.signatures.contract import Attempt, Reply, Scheme
from webhooks.signatures.digests import refusal_of_senders_secret
from webhooks.signatures.naming import event_at, fields_of, text_at
from webhooks.signatures.recipe import Recipe

RECIPE = Recipe("X-Notion-Signature", prefix="sha256=")


def greet(attempt: Attempt) -> Reply | None:
    """Take Notion's first request, which holds the verification token and nothing else."""
    if "x-notion-signature" in attempt.headers or b"verification_token" not in attempt.body:
        return None
    if list(fields_of(attempt)) != ["verification_token"]:
        return None
    return Reply(
        note="Notion's verification token came; it stands in the body. Enter it at Notion, and here as the secret."
    )


SCHEME = Scheme(
    key="notion",
    title="Notion",
    description="HMAC-SHA256 over the raw body in X-Notion-Signature; repeats are found by the event's id.",
    setup="Integration, Webhooks, Create a subscription: enter the address. The token that Notion sends stands in this "
    "webhook's event log: paste it at Notion, and send it here as the secret.",
    verify=RECIPE.verify,
    new_secret=None,
    refusal_of=refusal_of_senders_secret,
    sign=RECIPE.sign,
    event_type=event_at("type"),
    delivery_id=text_at("id"),
    secret_may_follow=True,
    greet=greet,
)
