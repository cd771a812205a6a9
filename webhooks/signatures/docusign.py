"""DocuSign Connect: HMAC-SHA256 over the raw body, base64, one header for each key (`X-DocuSign-Signature-1`, `-2`, …).

Source: developers.docusign.com, "Validate Connect messages with HMAC". The key is used as it is written, not decoded.
While keys are changed several headers come, and any one may match.
"""

from __future__ import annotations

from webhooks.signatures.contract import Attempt, Scheme, Verdict
from webhooks.signatures.digests import refusal_of_senders_secret
from webhooks.signatures.naming import event_at
from webhooks.signatures.recipe import Recipe
from webhooks.signatures.stamps import MOST_SIGNATURES

RECIPE = Recipe("X-DocuSign-Signature-1", "base64")


def verify(attempt: Attempt) -> Verdict:
    """Judge a delivery by any of its numbered signatures."""
    names = [f"x-docusign-signature-{number}" for number in range(1, MOST_SIGNATURES + 1)]
    found = [RECIPE.given(attempt.headers[name].strip()) for name in names if name in attempt.headers]
    given = [digest for digest in found if isinstance(digest, bytes)]
    return RECIPE.compare(attempt, given, None) if given else RECIPE.verify(attempt)


SCHEME = Scheme(
    key="docusign",
    title="DocuSign",
    description="HMAC-SHA256 over the raw body in X-DocuSign-Signature-1, -2, …; repeats are found by the body.",
    setup="Settings, Connect, Add configuration: enter the address as URL to publish; make a key at Connect Keys, "
    "include HMAC signatures, and send the key as the secret.",
    verify=verify,
    new_secret=None,
    refusal_of=refusal_of_senders_secret,
    sign=RECIPE.sign,
    event_type=event_at("event"),
    secret_may_follow=True,
)
