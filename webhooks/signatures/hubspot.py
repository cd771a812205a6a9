"""HubSpot v3: HMAC-SHA256 over method, address, body and timestamp, base64, in `X-HubSpot-Signature-v3`.

Source: developers.hubspot.com, "Validating requests"; HubSpot/hubspot-api-python, signature.py. The documentation
decodes a list of percent-escapes in the address, HubSpot's own client all of them; either is taken. The versions 1
and 2 carry no time and are refused.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from webhooks.signatures.contract import Attempt, Headers, Scheme, Verdict
from webhooks.signatures.digests import refusal_of_senders_secret
from webhooks.signatures.naming import text_at
from webhooks.signatures.recipe import Recipe
from webhooks.signatures.url_option import URL_OPTIONS

_LISTED = re.compile(r"%(3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.ASCII | re.IGNORECASE)
_KIND = text_at("subscriptionType")


def documented(attempt: Attempt, timestamp: str) -> bytes:
    """What is signed, with the listed escapes decoded."""
    return _content(attempt, timestamp, _LISTED.sub(lambda found: unquote(found[0]), attempt.url))


def decoded(attempt: Attempt, timestamp: str) -> bytes:
    """What is signed, with every escape decoded."""
    return _content(attempt, timestamp, unquote(attempt.url))


def _content(attempt: Attempt, timestamp: str, url: str) -> bytes:
    return f"{attempt.method}{url}".encode(errors="replace") + attempt.body + timestamp.encode()


DOCUMENTED, DECODED = (
    Recipe(
        "X-HubSpot-Signature-v3",
        "base64",
        content=content,
        timestamp="X-HubSpot-Request-Timestamp",
        unit="milliseconds",
    )
    for content in (documented, decoded)
)


def verify(attempt: Attempt) -> Verdict:
    """Judge a delivery by either spelling of the address."""
    verdict = DOCUMENTED.verify(attempt)
    return DECODED.verify(attempt) if verdict.code == "signature_wrong" and "%" in attempt.url else verdict


def event_type(_headers: Headers, body: Any) -> str:
    """The subscription of the first event; HubSpot sends up to a hundred at once."""
    return _KIND(body[0] if isinstance(body, list) and body else body) or ""


SCHEME = Scheme(
    key="hubspot",
    title="HubSpot",
    description="HMAC-SHA256 over method, address, body and time in X-HubSpot-Signature-v3; "
    "repeats are found by the body.",
    setup="Developer account, your app, Webhooks: enter the address as Target URL; the secret is the app's Client "
    "secret.",
    verify=verify,
    new_secret=None,
    refusal_of=refusal_of_senders_secret,
    sign=DOCUMENTED.sign,
    event_type=event_type,
    options=URL_OPTIONS,
    secret_may_follow=True,
)
