"""Linear: HMAC-SHA256 over the raw body, hexadecimal, in `Linear-Signature`.

Source: linear/linear, packages/sdk/src/webhooks/client.ts. The signed time is `webhookTimestamp` in the body, in
milliseconds; the header beside it is not signed. Linear itself allows a minute.
"""

from __future__ import annotations

from webhooks.signatures.contract import Attempt, Scheme, Verdict, refused
from webhooks.signatures.digests import refusal_of_senders_secret
from webhooks.signatures.moments import on_time, parse_moment
from webhooks.signatures.naming import event_header, text_at
from webhooks.signatures.recipe import Recipe

RECIPE = Recipe("Linear-Signature", id="Linear-Delivery", event="Linear-Event")
_SENT = text_at("webhookTimestamp")


def verify(attempt: Attempt) -> Verdict:
    """Judge a delivery by its signature, then by the time in its body."""
    verdict = RECIPE.verify(attempt)
    if not verdict.ok:
        return verdict
    moment = parse_moment(_SENT(attempt.read()) or "", "milliseconds")
    if moment is None:
        message = 'The body names no "webhookTimestamp" in milliseconds.'
        return refused("timestamp_missing", message, delivery_id=verdict.delivery_id)
    return on_time(moment, attempt, verdict.delivery_id) or verdict


SCHEME = Scheme(
    key="linear",
    title="Linear",
    description="HMAC-SHA256 over the raw body in Linear-Signature, with its time; repeats are found by "
    "Linear-Delivery.",
    setup="Settings, API, Webhooks, New webhook: enter the address as URL; the signing secret is shown there.",
    verify=verify,
    new_secret=None,
    refusal_of=refusal_of_senders_secret,
    event_type=event_header("Linear-Event"),
    tolerance_seconds=60,
    secret_may_follow=True,
)
