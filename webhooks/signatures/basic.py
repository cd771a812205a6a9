"""Basic authentication (RFC 7617): user name and password in `Authorization`. It proves the sender, not the body."""

from __future__ import annotations

import base64

from webhooks.signatures.contract import Attempt, Draft, Options, Scheme, Verdict, refused, verified
from webhooks.signatures.digests import new_text_secret, refusal_of_text_secret
from webhooks.signatures.stamps import decode_base64, event_in_body
from webhooks.signatures.tokens import is_any, name_of

DEFAULT_USER = "webhook"


def verify(attempt: Attempt) -> Verdict:
    """Judge a delivery by its user name and password."""
    name = name_of(attempt)
    kind, _, sent = attempt.headers.get("authorization", "").strip().partition(" ")
    if not sent or kind.lower() != "basic":
        message = "Header Authorization must hold Basic and the user name and password."
        return refused("signature_missing", message, delivery_id=name)
    user, _, password = decode_base64(sent.strip()).partition(b":")
    is_user = is_any(user, [user_of(attempt.options)])
    if not (is_any(password, attempt.secrets) & is_user):
        return refused("signature_wrong", "User name or password is not this webhook's.", delivery_id=name)
    return verified(name)


def sign(draft: Draft) -> dict[str, str]:
    """The headers a sender would send."""
    text = f"{user_of(draft.options)}:{draft.secret}".encode()
    return {"authorization": f"Basic {base64.b64encode(text).decode()}", "webhook-id": draft.delivery_id}


def user_of(options: Options) -> str:
    """The user name that is asked for."""
    return str(options.get("username") or DEFAULT_USER)


SCHEME = Scheme(
    key="basic",
    title="Basic authentication",
    description="User name and password in Authorization. It proves the sender, not the body; repeats are found by "
    "webhook-id or Idempotency-Key, if sent.",
    setup="Enter the address, the user name of the options (webhook) and the secret as password.",
    verify=verify,
    new_secret=new_text_secret,
    refusal_of=refusal_of_text_secret,
    sign=sign,
    event_type=event_in_body,
    options={
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "username": {
                "type": "string",
                "title": "User name",
                "pattern": "^[^:\\x00-\\x1f\\x7f]+$",
                "minLength": 1,
                "maxLength": 200,
                "default": DEFAULT_USER,
            }
        },
    },
)
