"""Trello: HMAC-SHA1 over the raw body and the callback URL, base64, in `X-Trello-Webhook`.

Source: developer.atlassian.com, Trello, "Webhooks". The address is tried with HEAD. SHA-1 is all that Trello offers.
"""

from __future__ import annotations

from webhooks.signatures.contract import Attempt, Reply, Scheme
from webhooks.signatures.digests import refusal_of_senders_secret
from webhooks.signatures.naming import event_at, text_at
from webhooks.signatures.recipe import Recipe
from webhooks.signatures.url_option import URL_OPTIONS, signed_url


def content(attempt: Attempt, _timestamp: str) -> bytes:
    """What Trello signs."""
    return attempt.body + signed_url(attempt)


def greet(attempt: Attempt) -> Reply | None:
    """Answer the HEAD that Trello sends before it makes the webhook."""
    return Reply() if attempt.method == "HEAD" else None


RECIPE = Recipe("X-Trello-Webhook", "base64", algorithm="sha1", content=content)

SCHEME = Scheme(
    key="trello",
    title="Trello",
    description="HMAC-SHA1 over body and address in X-Trello-Webhook; repeats are found by the action's id. "
    "The HEAD that tries the address is answered.",
    setup="POST https://api.trello.com/1/webhooks with the address as callbackURL; the secret is the API secret of "
    "your Power-Up.",
    verify=RECIPE.verify,
    new_secret=None,
    refusal_of=refusal_of_senders_secret,
    sign=RECIPE.sign,
    event_type=event_at("action", "type"),
    delivery_id=text_at("action", "id"),
    options=URL_OPTIONS,
    secret_may_follow=True,
    greet=greet,
    methods=frozenset({"HEAD"}),
)
