"""Why a signature is wrong, where that can be known: another secret, or a body that changed on its way.

Asked only after a refusal, and never changes it. Only whoever holds a genuine signature learns anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from webhooks.signatures.contract import Attempt, Scheme, Verdict, refused

LARGEST_BODY = 64 * 1024  # bytes; of larger ones a stranger could make us compute too much
_LATE = frozenset({"too_old", "too_new"})  # told only after the signature was right


def explained(scheme: Scheme, attempt: Attempt, verdict: Verdict, ended: str | None) -> Verdict:
    """The refusal with the reason, when one can be found. `ended` is a secret that is no longer taken."""
    if len(attempt.body) > LARGEST_BODY:
        return verdict
    if ended and _fits(scheme, replace(attempt, secrets=(ended,))):
        message = "The signature was made with the previous secret, which is no longer taken. Enter the new one there."
        return refused("secret_ended", message, delivery_id=verdict.delivery_id)
    for body, what in _variants(attempt.body):
        if _fits(scheme, replace(attempt, body=body)):
            message = f"The signature fits this body {what}: something on the way changed it. Pass bytes as they are."
            return refused("body_changed", message, delivery_id=verdict.delivery_id)
    return verdict


def _variants(body: bytes) -> Iterator[tuple[bytes, str]]:
    """What proxies and editors do to a body, undone."""
    yield body + b"\n", "with a line break at its end"
    yield body + b"\r\n", "with a line break (CR LF) at its end"
    if (stripped := body.rstrip(b"\r\n")) != body:
        yield stripped, "without the line break at its end"
    if b"\r\n" in body:
        yield body.replace(b"\r\n", b"\n"), "with line feeds only"
    elif b"\n" in body:
        yield body.replace(b"\n", b"\r\n"), "with CR LF as line breaks"
    if body.startswith(b"\xef\xbb\xbf"):
        yield body[3:], "without its byte order mark"


def _fits(scheme: Scheme, attempt: Attempt) -> bool:
    verdict = scheme.verify(attempt)
    return verdict.ok or verdict.code in _LATE
