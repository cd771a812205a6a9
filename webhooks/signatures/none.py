"""No signature: whoever knows the address may send. Only by explicit choice, and shown as a warning."""

from __future__ import annotations

from webhooks.signatures.contract import Attempt, Scheme, Verdict, verified
from webhooks.signatures.stamps import event_in_body

ID_HEADERS = ("webhook-id", "idempotency-key")


def verify(attempt: Attempt) -> Verdict:
    """Accept. A sender that names its deliveries gets each of them once."""
    return verified(next((attempt.headers[name] for name in ID_HEADERS if attempt.headers.get(name)), None))


def sign(_secret: str, _body: bytes, delivery_id: str, _event: str, _now: float) -> dict[str, str]:
    """The id alone."""
    return {"webhook-id": delivery_id}


def refusal_of(_secret: str) -> str | None:
    """There is nothing a secret could be used for."""
    return 'Scheme "none" checks nothing, so it takes no secret. Leave it out, or choose a scheme that signs.'


SCHEME = Scheme(
    key="none",
    title="None (anybody may send)",
    description="Deliveries are not verified: whoever learns the address can start runs.",
    verify=verify,
    new_secret=None,
    refusal_of=refusal_of,
    sign=sign,
    event_type=event_in_body,
    is_signed=False,
)
