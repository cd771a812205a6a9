"""No signature: whoever knows the address may send. Only by explicit choice, and shown as a warning."""

from __future__ import annotations

from webhooks.signatures.contract import Attempt, Draft, Scheme, Verdict, verified
from webhooks.signatures.stamps import event_in_body
from webhooks.signatures.tokens import name_of


def verify(attempt: Attempt) -> Verdict:
    """Accept. A sender that names its deliveries gets each of them once."""
    return verified(name_of(attempt))


def sign(draft: Draft) -> dict[str, str]:
    """The id alone."""
    return {"webhook-id": draft.delivery_id}


def refusal_of(_secret: str) -> str | None:
    """There is nothing a secret could be used for."""
    return 'Scheme "none" checks nothing, so it takes no secret. Leave it out, or choose a scheme that signs.'


SCHEME = Scheme(
    key="none",
    title="None (anybody may send)",
    description="Deliveries are not verified: whoever learns the address can start runs.",
    setup="Enter the address at the sender.",
    verify=verify,
    new_secret=None,
    refusal_of=refusal_of,
    sign=sign,
    event_type=event_in_body,
    is_signed=False,
    takes_secret=False,
)
