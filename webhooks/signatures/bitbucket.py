"""Bitbucket Cloud and Server: HMAC-SHA256 over the raw body, hexadecimal, in `X-Hub-Signature: sha256=…`.

Source: Atlassian, "Secure webhooks". The Cloud names deliveries in `X-Request-UUID`, the Server in `X-Request-Id`.
"""

from __future__ import annotations

from webhooks.signatures.contract import Attempt, Draft, Scheme, Verdict
from webhooks.signatures.digests import new_text_secret, refusal_of_text_secret
from webhooks.signatures.naming import event_header
from webhooks.signatures.recipe import Recipe

CLOUD = Recipe("X-Hub-Signature", prefix="sha256=", id="X-Request-UUID", event="X-Event-Key")
SERVER = Recipe("X-Hub-Signature", prefix="sha256=", id="X-Request-Id", event="X-Event-Key")


def verify(attempt: Attempt) -> Verdict:
    """Judge a delivery of either."""
    return (SERVER if "x-request-id" in attempt.headers else CLOUD).verify(attempt)


def sign(draft: Draft) -> dict[str, str]:
    """The headers the Cloud would send."""
    return CLOUD.sign(draft)


SCHEME = Scheme(
    key="bitbucket",
    title="Bitbucket",
    description="HMAC-SHA256 over the raw body in X-Hub-Signature; repeats are found by X-Request-UUID (X-Request-Id).",
    setup="Repository settings, Webhooks, Add webhook: enter the address as URL and the secret as Secret.",
    verify=verify,
    new_secret=new_text_secret,
    refusal_of=refusal_of_text_secret,
    sign=sign,
    event_type=event_header("X-Event-Key"),
    pings=frozenset({"diagnostics:ping"}),
)
