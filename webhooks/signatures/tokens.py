"""What schemes share that carry a secret instead of a signature: comparing it, and the sender's name for a delivery."""

from __future__ import annotations

from collections.abc import Iterable

from webhooks.signatures.contract import Attempt
from webhooks.signatures.digests import matches_any

ID_HEADERS = ("webhook-id", "idempotency-key")


def is_any(given: bytes, secrets: Iterable[str]) -> bool:
    """True when the given text is one of the secrets. Looks at each, so time tells nothing."""
    return matches_any([given], [secret.encode() for secret in secrets if secret])


def name_of(attempt: Attempt) -> str | None:
    """The sender's name for the delivery, if it gave one. Nothing proves it."""
    return next((attempt.headers[name] for name in ID_HEADERS if attempt.headers.get(name)), None)
