"""Zendesk: HMAC-SHA256 over `{timestamp}{body}`, base64, in `X-Zendesk-Webhook-Signature`.

Source: developer.zendesk.com, "Verifying webhook requests". An older text of that page signs the body first; such
signatures are refused.
"""

from __future__ import annotations

from webhooks.signatures.contract import Attempt, Scheme
from webhooks.signatures.digests import refusal_of_senders_secret
from webhooks.signatures.naming import event_at
from webhooks.signatures.recipe import Recipe


def content(attempt: Attempt, timestamp: str) -> bytes:
    """What Zendesk signs."""
    return timestamp.encode() + attempt.body


RECIPE = Recipe(
    "X-Zendesk-Webhook-Signature",
    "base64",
    content=content,
    timestamp="X-Zendesk-Webhook-Signature-Timestamp",
    unit="iso",
    id="X-Zendesk-Webhook-Invocation-Id",
)

SCHEME = Scheme(
    key="zendesk",
    title="Zendesk",
    description="HMAC-SHA256 over time and body in X-Zendesk-Webhook-Signature; repeats are found by its invocation "
    "id.",
    setup="Admin Center, Apps and integrations, Webhooks, Create: enter the address as Endpoint URL; the signing "
    "secret is shown on the webhook's page. Its test uses a secret of its own and is refused.",
    verify=RECIPE.verify,
    new_secret=None,
    refusal_of=refusal_of_senders_secret,
    sign=RECIPE.sign,
    event_type=event_at("type"),
    secret_may_follow=True,
)
