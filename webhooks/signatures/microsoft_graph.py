"""Microsoft Graph: nothing is signed; each notification repeats the subscription's `clientState`, which is the secret.

Source: learn.microsoft.com, "Receive change notifications through webhooks". A POST with `validationToken` in its query
wants that token back as plain text within ten seconds.
"""

from __future__ import annotations

from typing import Any

from webhooks.signatures.contract import Attempt, Headers, Reply, Scheme, Verdict, refused, verified
from webhooks.signatures.digests import new_text_secret, refusal_of_text_secret
from webhooks.signatures.naming import query_of, text_at
from webhooks.signatures.tokens import is_any

LONGEST_TOKEN = 2000
LONGEST_STATE = 128
_KIND, _LIFECYCLE, _ID = text_at("changeType"), text_at("lifecycleEvent"), text_at("id")


def verify(attempt: Attempt) -> Verdict:
    """Judge a delivery: every notification of it names the secret."""
    notices = notices_of(attempt.read())
    if not notices:
        return refused("signature_missing", 'The body holds no notifications: an object with a list "value".')
    states = [notice.get("clientState") if isinstance(notice, dict) else None for notice in notices]
    if not all(isinstance(state, str) and _is_known(state, attempt) for state in states):
        return refused("signature_wrong", "A clientState of the body is not this webhook's secret.")
    return verified(None)


def greet(attempt: Attempt) -> Reply | None:
    """Send a validation token back, as text that no browser runs."""
    token = query_of(attempt).get("validationToken", "")
    if not 0 < len(token) <= LONGEST_TOKEN or not token.isprintable():
        return None
    return Reply(token.encode(errors="replace"))


def notices_of(body: Any) -> list[Any]:
    """The notifications of a body."""
    found = body.get("value") if isinstance(body, dict) else None
    return found if isinstance(found, list) else []


def event_type(_headers: Headers, body: Any) -> str:
    """The kind of the first notification."""
    first = next(iter(notices_of(body)), None)
    return _LIFECYCLE(first) or _KIND(first) or ""


def delivery_id(body: Any) -> str | None:
    """The id of a single notification; Graph names no others."""
    notices = notices_of(body)
    return _ID(notices[0]) if len(notices) == 1 else None


def refusal_of(secret: str) -> str | None:
    """Refuse what Graph would not store as clientState."""
    if len(secret) > LONGEST_STATE:
        return f"A clientState has at most {LONGEST_STATE} characters, this one {len(secret)}."
    return refusal_of_text_secret(secret)


def _is_known(state: str, attempt: Attempt) -> bool:
    return is_any(state.encode(errors="replace"), attempt.secrets)


SCHEME = Scheme(
    key="microsoft_graph",
    title="Microsoft Graph",
    description="No signature: each notification repeats the secret as clientState. The validationToken is answered. "
    "Repeats are found by the notification's id.",
    setup="POST /v1.0/subscriptions with the address as notificationUrl (and lifecycleNotificationUrl) and the "
    "secret as clientState.",
    verify=verify,
    new_secret=new_text_secret,
    refusal_of=refusal_of,
    event_type=event_type,
    delivery_id=delivery_id,
    greet=greet,
    is_json=True,
)
