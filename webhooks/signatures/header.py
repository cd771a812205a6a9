"""A secret in a header, such as `X-Api-Key: …` or `Authorization: Bearer …`. It proves the sender, not the body."""

from __future__ import annotations

from webhooks.signatures.contract import Attempt, Draft, Options, Scheme, Verdict, refused, verified
from webhooks.signatures.digests import new_text_secret, refusal_of_text_secret
from webhooks.signatures.stamps import event_in_body
from webhooks.signatures.tokens import is_any, name_of

DEFAULT_HEADER = "X-Api-Key"


def verify(attempt: Attempt) -> Verdict:
    """Judge a delivery by the header's text."""
    header, prefix = _asked(attempt.options)
    name = name_of(attempt)
    given = attempt.headers.get(header.lower(), "").strip()
    if not given.startswith(prefix) or len(given) == len(prefix):
        message = f"Header {header} is missing" + (f' or does not begin with "{prefix}".' if prefix else ".")
        return refused("signature_missing", message, delivery_id=name)
    if not is_any(given[len(prefix) :].encode(errors="replace"), attempt.secrets):
        return refused("signature_wrong", f"Header {header} does not hold this webhook's secret.", delivery_id=name)
    return verified(name)


def sign(draft: Draft) -> dict[str, str]:
    """The headers a sender would send."""
    header, prefix = _asked(draft.options)
    return {header.lower(): prefix + draft.secret, "webhook-id": draft.delivery_id}


def _asked(options: Options) -> tuple[str, str]:
    return str(options.get("header") or DEFAULT_HEADER), str(options.get("prefix") or "")


SCHEME = Scheme(
    key="header",
    title="Secret in a header",
    description="A secret in a header of your choice. It proves the sender, not the body; repeats are found by "
    "webhook-id or Idempotency-Key, if sent.",
    setup="Enter the address and let the sender add the header of the options (X-Api-Key) with the secret.",
    verify=verify,
    new_secret=new_text_secret,
    refusal_of=refusal_of_text_secret,
    sign=sign,
    event_type=event_in_body,
    options={
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "header": {
                "type": "string",
                "title": "Header",
                "pattern": "^[A-Za-z0-9-]+$",
                "minLength": 1,
                "maxLength": 100,
                "default": DEFAULT_HEADER,
            },
            "prefix": {
                "type": "string",
                "title": "Text before the secret",
                "description": 'Such as "Bearer ".',
                "pattern": "^[\\x21-\\x7e][\\x20-\\x7e]*$",
                "maxLength": 50,
            },
        },
    },
)
