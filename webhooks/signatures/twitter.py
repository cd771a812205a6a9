"""X (Twitter): HMAC-SHA256 over the raw body, base64, in `x-twitter-webhooks-signature: sha256=…`.

Source: docs.x.com, "Securing webhooks". A GET with `crc_token` asks for the HMAC of that token under the same key. The
token is taken only of letters, digits, `_` and `-`, and a delivery only when it is a JSON object: else whoever asks
could have a forged delivery signed.
"""

from __future__ import annotations

import re

from webhooks.signatures.contract import Attempt, Reply, Scheme, Verdict, refused
from webhooks.signatures.digests import refusal_of_senders_secret
from webhooks.signatures.naming import query_of
from webhooks.signatures.recipe import Recipe, encode

RECIPE = Recipe("x-twitter-webhooks-signature", "base64", prefix="sha256=")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,200}", re.ASCII)


def verify(attempt: Attempt) -> Verdict:
    """Judge a delivery."""
    if not attempt.body.lstrip().startswith(b"{"):
        return refused("signature_malformed", "A delivery of X is a JSON object; this body is none.")
    return RECIPE.verify(attempt)


def greet(attempt: Attempt) -> Reply | Verdict | None:
    """Answer a challenge-response check, with the newest secret."""
    if attempt.method != "GET":
        return None
    token = query_of(attempt).get("crc_token", "")
    if not _TOKEN.fullmatch(token):
        return refused("handshake_malformed", "A GET must ask with a crc_token of letters, digits, _ and -.")
    if not attempt.secrets:
        return refused("secret_missing", "This webhook has no secret yet, so it cannot answer the check.")
    (digest,) = RECIPE.digests(attempt.secrets[:1], token.encode())
    return Reply(f'{{"response_token":"sha256={encode(digest, "base64")}"}}'.encode(), "application/json")


SCHEME = Scheme(
    key="twitter",
    title="X (Twitter)",
    description="HMAC-SHA256 over the raw body in x-twitter-webhooks-signature. The check with crc_token is answered.",
    setup="POST /2/webhooks with the address as url; the secret is the app's consumer secret (API key secret).",
    verify=verify,
    new_secret=None,
    refusal_of=refusal_of_senders_secret,
    sign=RECIPE.sign,
    secret_may_follow=True,
    greet=greet,
    methods=frozenset({"GET"}),
)
