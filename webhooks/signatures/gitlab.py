"""GitLab: a signing token (`whsec_…`, as Standard Webhooks), or the plain token in `X-Gitlab-Token`.

Source: GitLab docs, "Webhooks"; gitlab-org/gitlab merge request 230944. Which of the two the secret is shows its
prefix. With a signing token the plain one proves nothing: whoever reads one delivery could send any other. The plain
token signs nothing, so a changed body cannot be found.
"""

from __future__ import annotations

from dataclasses import replace

from webhooks.signatures import standard
from webhooks.signatures.contract import Attempt, Draft, Scheme, Verdict, refused, verified
from webhooks.signatures.digests import new_text_secret, refusal_of_text_secret
from webhooks.signatures.naming import event_header
from webhooks.signatures.tokens import is_any

TOKEN, EVENT = "x-gitlab-token", "x-gitlab-event"
IDS = ("webhook-id", "idempotency-key", "x-gitlab-event-uuid")


def verify(attempt: Attempt) -> Verdict:
    """Judge a delivery by its signature, or by the token when that is all that was agreed."""
    signing = [secret for secret in attempt.secrets if secret.startswith(standard.PREFIX)]
    tokens = [secret for secret in attempt.secrets if secret and not secret.startswith(standard.PREFIX)]
    if signing and ("webhook-signature" in attempt.headers or not tokens):
        return standard.verify(replace(attempt, secrets=signing))
    name = next((attempt.headers[header] for header in IDS if attempt.headers.get(header)), None)
    given = attempt.headers.get(TOKEN, "").encode(errors="replace")
    if not given:
        message = "Header X-Gitlab-Token is missing. Enter the secret token at GitLab."
        return refused("signature_missing", message, delivery_id=name)
    if not is_any(given, tokens):
        return refused("signature_wrong", "X-Gitlab-Token is not this webhook's secret.", delivery_id=name)
    return verified(name)


def sign(draft: Draft) -> dict[str, str]:
    """The headers GitLab would send."""
    named = {EVENT: draft.event, "idempotency-key": draft.delivery_id}
    if draft.secret.startswith(standard.PREFIX):
        return {**named, **standard.sign(draft)}
    return {**named, TOKEN: draft.secret}


def refusal_of(secret: str) -> str | None:
    """Refuse a signing token that is none, and a plain one that is too short."""
    return standard.refusal_of(secret) if secret.startswith(standard.PREFIX) else refusal_of_text_secret(secret)


SCHEME = Scheme(
    key="gitlab",
    title="GitLab",
    description="HMAC-SHA256 as Standard Webhooks when the secret is a signing token (whsec_…), else the plain token "
    "in X-Gitlab-Token, which proves the sender and not the body. Repeats are found by webhook-id or Idempotency-Key.",
    setup="Settings, Webhooks, Add new webhook: enter the address as URL and the secret as Secret token; or send "
    "GitLab's signing token as the secret.",
    verify=verify,
    new_secret=new_text_secret,
    refusal_of=refusal_of,
    sign=sign,
    event_type=event_header(EVENT),
)
