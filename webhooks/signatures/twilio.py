"""Twilio: HMAC-SHA1 over the address and the sorted form parameters, base64, in `X-Twilio-Signature`.

Source: twilio/twilio-python, request_validator.py. Of any other body the address names the SHA-256 (`bodySHA256`). The
address is tried with and without its port. SHA-1 is all that Twilio offers; the key is the auth token.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import defaultdict
from urllib.parse import parse_qs, parse_qsl, urlsplit, urlunsplit

from webhooks.signatures.contract import Attempt, Scheme, Verdict, refused, verified
from webhooks.signatures.digests import body_identity, matches_any, refusal_of_senders_secret
from webhooks.signatures.naming import event_at
from webhooks.signatures.recipe import Recipe, wrong
from webhooks.signatures.url_option import URL_OPTIONS

RECIPE = Recipe("X-Twilio-Signature", "base64", algorithm="sha1")
FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 1000
_PORTS = {"https": 443, "http": 80}


def verify(attempt: Attempt) -> Verdict:
    """Judge a delivery."""
    given = RECIPE.given(attempt.headers.get("x-twilio-signature", "").strip())
    if isinstance(given, Verdict):
        return given
    signed = signed_text(attempt)
    if isinstance(signed, Verdict):
        return signed
    contents = [url.encode(errors="replace") + signed for url in spellings(attempt.url)]
    expected = [digest for content in contents for digest in RECIPE.digests(attempt.secrets, content)]
    if not matches_any([given], expected):
        return wrong(RECIPE.signature)
    return verified(body_identity(contents[0] + attempt.body))


def signed_text(attempt: Attempt) -> bytes | Verdict:
    """What is signed beside the address: the parameters of a form; nothing when the address names the body's hash."""
    named = parse_qs(urlsplit(attempt.url).query).get("bodySHA256")
    if named:
        if not hmac.compare_digest(named[0].lower().encode(), hashlib.sha256(attempt.body).hexdigest().encode()):
            return refused("body_changed", "The body is not the one whose hash stands in the address (bodySHA256).")
        return b""
    if not attempt.body:
        return b""
    if attempt.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        message = "The body is no form and its hash is not named in the address (bodySHA256), so nothing proves it."
        return refused("signature_malformed", message)
    return parameters(attempt.body)


def parameters(body: bytes) -> bytes | Verdict:
    """Names and values of a form, both sorted and without repeats, one after the other."""
    grouped: dict[str, set[str]] = defaultdict(set)
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:  # also UnicodeDecodeError
        return refused("signature_malformed", "The form cannot be read, so its signature cannot be checked.")
    for name, value in pairs:
        grouped[name].add(value)
    return "".join(name + value for name in sorted(grouped) for value in sorted(grouped[name])).encode(errors="replace")


def spellings(url: str) -> list[str]:
    """The address as it is, and with its port added or left out."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        return [url]
    host = parts.netloc.rpartition(":")[0] if port else parts.netloc
    other = host if port else f"{host}:{_PORTS.get(parts.scheme, 443)}"
    return [url, urlunsplit(parts._replace(netloc=other))]


SCHEME = Scheme(
    key="twilio",
    title="Twilio",
    description="HMAC-SHA1 over address and form in X-Twilio-Signature; repeats are found by what was signed.",
    setup="Console, the phone number or messaging service: enter the address, exactly; the secret is the account's "
    "Auth Token. BRAINOPS_PUBLIC_URL has to be the address that Twilio calls.",
    verify=verify,
    new_secret=None,
    refusal_of=refusal_of_senders_secret,
    event_type=event_at("SmsStatus"),
    options=URL_OPTIONS,
    secret_may_follow=True,
)
