"""The key of all idempotency keys, as the runtime names it: the ledger of effects needs it too, a layer below."""

from automation.services.secret import idempotency_secret

__all__ = ["idempotency_secret"]
