"""Smartsheet: HMAC-SHA256 over the raw body, hexadecimal, in `Smartsheet-Hmac-SHA256`.

Source: developers.smartsheet.com, "Webhooks". A request with `Smartsheet-Hook-Challenge` gets its value back.
"""

from __future__ import annotations

import re

from webhooks.signatures.contract import Attempt, Reply, Scheme
from webhooks.signatures.digests import refusal_of_senders_secret
from webhooks.signatures.naming import event_at
from webhooks.signatures.recipe import Recipe

RECIPE = Recipe("Smartsheet-Hmac-SHA256")
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)


def greet(attempt: Attempt) -> Reply | None:
    """Send a challenge back: in the header, and in the body as well."""
    challenge = attempt.headers.get("smartsheet-hook-challenge", "")
    if "smartsheet-hmac-sha256" in attempt.headers or not _CHALLENGE.fullmatch(challenge):
        return None
    body = f'{{"smartsheetHookResponse":"{challenge}"}}'.encode()
    return Reply(body, "application/json", {"Smartsheet-Hook-Response": challenge})


SCHEME = Scheme(
    key="smartsheet",
    title="Smartsheet",
    description="HMAC-SHA256 over the raw body in Smartsheet-Hmac-SHA256. The challenge in the header is answered.",
    setup="POST /2.0/webhooks with the address as callbackUrl, then enable it; the secret is the sharedSecret it "
    "returns.",
    verify=RECIPE.verify,
    new_secret=None,
    refusal_of=refusal_of_senders_secret,
    sign=RECIPE.sign,
    event_type=event_at("scope"),
    secret_may_follow=True,
    greet=greet,
)
