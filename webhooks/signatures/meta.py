r"""Meta (Facebook, Instagram, WhatsApp): HMAC-SHA256 over the raw body, hexadecimal, in `X-Hub-Signature-256`.

Source: developers.facebook.com, "Webhooks, Getting started". The body comes with \uXXXX escapes and is hashed as it
comes. A GET with `hub.challenge` and our verify token tries the address.
"""

from __future__ import annotations

import hmac
import re

from webhooks.signatures.contract import Attempt, Reply, Scheme, Verdict, refused
from webhooks.signatures.digests import refusal_of_senders_secret
from webhooks.signatures.naming import event_at, query_of
from webhooks.signatures.recipe import Recipe

RECIPE = Recipe("X-Hub-Signature-256", prefix="sha256=")
_CHALLENGE = re.compile(r"[A-Za-z0-9_.-]{1,200}", re.ASCII)


def greet(attempt: Attempt) -> Reply | Verdict | None:
    """Answer `hub.challenge` to whoever knows the verify token."""
    if attempt.method != "GET":
        return None
    asked = query_of(attempt)
    challenge = asked.get("hub.challenge", "")
    if asked.get("hub.mode") != "subscribe" or not _CHALLENGE.fullmatch(challenge):
        return refused("handshake_malformed", "A GET must ask hub.mode=subscribe with a hub.challenge.")
    wanted = str(attempt.options.get("verify_token") or "").encode()
    given = asked.get("hub.verify_token", "").encode(errors="replace")
    if not wanted or not hmac.compare_digest(given, wanted):
        return refused("verify_token_wrong", "hub.verify_token is not the one of this webhook's options.")
    return Reply(challenge.encode())


SCHEME = Scheme(
    key="meta",
    title="Meta (Facebook, Instagram, WhatsApp)",
    description="HMAC-SHA256 over the raw body in X-Hub-Signature-256. The GET with hub.challenge is answered.",
    setup="App dashboard, Webhooks, Edit subscription: enter the address as Callback URL, and a word of your own as "
    "Verify token and here as the option verify_token. The secret is the App secret of Settings, Basic.",
    verify=RECIPE.verify,
    new_secret=None,
    refusal_of=refusal_of_senders_secret,
    sign=RECIPE.sign,
    event_type=event_at("object"),
    secret_may_follow=True,
    options={
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "verify_token": {
                "type": "string",
                "title": "Verify token",
                "description": "The word that Meta's GET has to say. It opens nothing else.",
                "minLength": 8,
                "maxLength": 200,
            }
        },
    },
    greet=greet,
    methods=frozenset({"GET"}),
)
