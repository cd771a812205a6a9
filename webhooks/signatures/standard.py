"""Standard Webhooks with a shared secret: HMAC-SHA256 over `{id}.{timestamp}.{body}`, version `v1`.

Source: standardwebhooks.com specification 1.0.0. `webhook-signature` may list several signatures while a sender rotates
its secret; the id is the idempotency key.
"""

from __future__ import annotations

from brainops.core.standard_webhooks import PREFIX, new_secret, signed_headers
from webhooks.signatures.contract import Attempt, Draft, Scheme, Verdict
from webhooks.signatures.digests import SHORTEST_SECRET_BYTES, hmacs_sha256, matches_any
from webhooks.signatures.stamps import Stamp, decode_base64, event_in_body, judge

LONGEST_SECRET_BYTES = 64


def verify(attempt: Attempt) -> Verdict:
    """Judge a delivery by its `v1` signatures."""

    def matches(stamp: Stamp) -> bool:
        expected = hmacs_sha256(map(key_of, attempt.secrets), stamp.content(attempt.body))
        return matches_any(stamp.signatures, expected)

    return judge(attempt, "v1", matches)


def sign(draft: Draft) -> dict[str, str]:
    """The headers a sender would send."""
    return signed_headers(draft.secret, draft.body, message_id=draft.delivery_id, timestamp=int(draft.now))


def key_of(secret: str) -> bytes:
    """The key's bytes: base64, after `whsec_` when it has that prefix."""
    return decode_base64(secret.removeprefix(PREFIX))


def refusal_of(secret: str) -> str | None:
    """Refuse what is no base64 of 24 to 64 bytes (the specification's range)."""
    size = len(key_of(secret))
    if not size:
        return f'A Standard Webhooks secret is "{PREFIX}" and base64; this one cannot be decoded.'
    if not SHORTEST_SECRET_BYTES <= size <= LONGEST_SECRET_BYTES:
        wanted = f"{SHORTEST_SECRET_BYTES} to {LONGEST_SECRET_BYTES}"
        return f"A Standard Webhooks secret holds {wanted} bytes in base64, this one {size}."
    return None


SCHEME = Scheme(
    key="standard",
    title="Standard Webhooks",
    description="HMAC-SHA256 over id, timestamp and body in webhook-signature; repeats are found by webhook-id.",
    setup="Enter the address as endpoint and the secret (whsec_…) as its signing secret. Svix and its users send "
    "this way.",
    verify=verify,
    new_secret=new_secret,
    refusal_of=refusal_of,
    sign=sign,
    event_type=event_in_body,
)
