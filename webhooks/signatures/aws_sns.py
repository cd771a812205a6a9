"""Amazon SNS: RSA over fields of the JSON body, version 1 with SHA-1 and version 2 with SHA-256, in `Signature`.

Source: docs.aws.amazon.com, SNS, "Verifying the signatures of messages". The certificate is published at
`SigningCertURL`, which must be Amazon's. Anybody can have Amazon sign messages of topics of their own, so the topics
are named in the options. A SubscriptionConfirmation of such a topic is confirmed; the call goes out afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from webhooks.signatures.contract import Attempt, Certificates, Reply, Scheme, Verdict, refused, verified
from webhooks.signatures.naming import event_at
from webhooks.signatures.published import CERTIFICATE_OPTION, certificate_of, has_signed, is_allowed
from webhooks.signatures.stamps import decode_base64

HOSTS = re.compile(r"sns\.[a-z0-9-]{3,30}\.amazonaws\.com(\.cn)?", re.ASCII)
NAMES = re.compile(r"sns(\.[a-z0-9-]{3,30})?\.amazonaws\.com(\.cn)?", re.ASCII)
CONFIRMATION, NOTIFICATION = "SubscriptionConfirmation", "Notification"
_NOTICE = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_OTHERS = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
# Amazon still signs with SHA-1 by default; a topic's owner can choose version 2.
_ALGORITHMS = {"1": SHA1, "2": SHA256}


def verify(attempt: Attempt) -> Verdict:
    """Judge a delivery by the fields of its body."""
    body = attempt.read()
    fields = body if isinstance(body, dict) else {}
    name = _text(fields, "MessageId") or None
    signature, version = decode_base64(_text(fields, "Signature")), _text(fields, "SignatureVersion")
    if not signature:
        return refused("signature_missing", 'The body holds no "Signature" in base64.', delivery_id=name)
    if version not in _ALGORITHMS:
        return refused("signature_malformed", '"SignatureVersion" must be "1" or "2".', delivery_id=name)
    if _text(fields, "TopicArn") not in attempt.options.get("topic_arns", ()):
        return refused(
            "topic_unknown", "The topic is not among the topic_arns of this webhook's options.", delivery_id=name
        )
    url = _text(fields, "SigningCertURL")
    if not _is_certificate(url):
        return refused(
            "certificate_wrong", "SigningCertURL is no address of Amazon; it was not called.", delivery_id=name
        )
    certificate = certificate_of(attempt, url, NAMES)
    if isinstance(certificate, Verdict):
        return refused(certificate.code, certificate.message, delivery_id=name)
    if not has_signed(certificate, signature, signed(fields), _ALGORITHMS[version]()):
        message = "The signature was not made from these fields by Amazon's certificate."
        return refused("signature_wrong", message, delivery_id=name)
    return verified(name)


def signed(fields: dict[str, Any]) -> bytes:
    """The fields that are signed, a name and a value a line."""
    names = _NOTICE if _text(fields, "Type") == NOTIFICATION else _OTHERS
    return "".join(f"{name}\n{_text(fields, name)}\n" for name in names if name in fields).encode(errors="replace")


def wanted(attempt: Attempt) -> Sequence[str]:
    """The certificate's address, when it is one of Amazon's and the message is of a known topic."""
    body = attempt.read()
    if attempt.options.get("certificate") or not isinstance(body, dict):
        return ()
    url = _text(body, "SigningCertURL")
    return (url,) if _is_certificate(url) and _text(body, "TopicArn") in attempt.options.get("topic_arns", ()) else ()


def confirm(_attempt: Attempt, body: Any) -> Reply | None:
    """Have the subscription confirmed, at Amazon's own address only."""
    if not isinstance(body, dict) or _text(body, "Type") != CONFIRMATION:
        return None
    url = _text(body, "SubscribeURL")
    if not is_allowed(url.partition("?")[0], HOSTS):
        return Reply(note="The SubscribeURL is no address of Amazon, so it is not called.")
    return Reply(note="The subscription is being confirmed.", confirm_url=url)


def no_secret(_secret: str) -> str | None:
    """There is nothing a secret could be used for."""
    return "Amazon signs with its certificate, so this scheme takes no secret. Leave it out."


def _is_certificate(url: str) -> bool:
    return url.endswith(".pem") and is_allowed(url, HOSTS)


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""


SCHEME = Scheme(
    key="aws_sns",
    title="Amazon SNS",
    description="RSA signature (versions 1 and 2) in the JSON body by Amazon's published certificate; repeats are "
    "found by MessageId. The subscription is confirmed.",
    setup="Enter the topic's ARN in the option topic_arns, then subscribe the address to the topic with the protocol "
    "HTTPS, without raw message delivery. There is no secret.",
    verify=verify,
    new_secret=None,
    refusal_of=no_secret,
    event_type=event_at("Type"),
    takes_secret=False,
    is_json=True,
    options={
        "type": "object",
        "additionalProperties": False,
        "required": ["topic_arns"],
        "properties": {
            "topic_arns": {
                "type": "array",
                "title": "Topics",
                "description": "ARNs of the topics whose messages are taken.",
                "items": {"type": "string", "pattern": "^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_.-]+$"},
                "minItems": 1,
                "maxItems": 50,
                "uniqueItems": True,
            },
            "certificate": CERTIFICATE_OPTION,
        },
    },
    confirm=confirm,
    confirm_host=HOSTS.pattern,
    certificates=Certificates(wanted, has_chain=False),
)
