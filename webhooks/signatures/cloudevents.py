"""CloudEvents over HTTP with a bearer token, and the handshake of its webhook specification (OPTIONS).

Source: cloudevents/spec, http-webhook.md 1.0 and http-protocol-binding.md. The secret is the token in `Authorization`;
an event is named by its source and id together.
"""

from __future__ import annotations

import re
from typing import Any

from webhooks.signatures.contract import Attempt, Draft, Headers, Reply, Scheme, Verdict, refused, verified
from webhooks.signatures.digests import new_text_secret, refusal_of_text_secret
from webhooks.signatures.naming import text_at
from webhooks.signatures.tokens import is_any

_ORIGIN = re.compile(r"[A-Za-z0-9._:*-]{1,255}", re.ASCII)
_RATE = re.compile(r"[0-9]{1,9}", re.ASCII)
_TYPE, _ID, _SOURCE = text_at("type"), text_at("id"), text_at("source")


def verify(attempt: Attempt) -> Verdict:
    """Judge a delivery by its token."""
    name = _name(attempt.headers.get("ce-source"), attempt.headers.get("ce-id"))
    kind, _, token = attempt.headers.get("authorization", "").strip().partition(" ")
    if kind.lower() != "bearer" or not token:
        return refused("signature_missing", "Header Authorization must hold Bearer and the secret.", delivery_id=name)
    if not is_any(token.strip().encode(errors="replace"), attempt.secrets):
        return refused("signature_wrong", "The bearer token is not this webhook's secret.", delivery_id=name)
    return verified(name)


def greet(attempt: Attempt) -> Reply | Verdict | None:
    """Allow a sender of the options' origins to deliver here."""
    if attempt.method != "OPTIONS":
        return None
    origin = attempt.headers.get("webhook-request-origin", "")
    if not _ORIGIN.fullmatch(origin):
        return refused("handshake_malformed", "OPTIONS must name the sender in WebHook-Request-Origin.")
    if (allowed := attempt.options.get("origins")) and origin not in allowed:
        return refused("origin_not_allowed", "This sender is not among the origins of this webhook's options.")
    rate = attempt.headers.get("webhook-request-rate", "")
    granted = rate if _RATE.fullmatch(rate) else "*"
    return Reply(headers={"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": granted, "Allow": "POST"})


def sign(draft: Draft) -> dict[str, str]:
    """The headers of an event in binary mode."""
    named = {"ce-specversion": "1.0", "ce-id": draft.delivery_id, "ce-source": "/test", "ce-type": draft.event}
    return {"authorization": f"Bearer {draft.secret}", **named}


def event_type(headers: Headers, body: Any) -> str:
    """The type, in binary and in structured mode."""
    return headers.get("ce-type") or _TYPE(body) or ""


def delivery_id(body: Any) -> str | None:
    """The name of an event in structured mode."""
    return _name(_SOURCE(body), _ID(body)) if isinstance(body, dict) and "specversion" in body else None


def _name(source: str | None, event_id: str | None) -> str | None:
    return f"{source} {event_id}" if source and event_id else None


SCHEME = Scheme(
    key="cloudevents",
    title="CloudEvents",
    description="A bearer token, which proves the sender, not the body; repeats are found by source and id. The "
    "OPTIONS handshake is answered.",
    setup="Enter the address as the subscription's sink and the secret as its access token.",
    verify=verify,
    new_secret=new_text_secret,
    refusal_of=refusal_of_text_secret,
    sign=sign,
    event_type=event_type,
    delivery_id=delivery_id,
    options={
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "origins": {
                "type": "array",
                "title": "Origins",
                "description": "Senders that the handshake allows. Left out: any.",
                "items": {"type": "string", "minLength": 1, "maxLength": 255},
                "maxItems": 20,
            }
        },
    },
    greet=greet,
    methods=frozenset({"OPTIONS"}),
)
