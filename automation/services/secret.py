"""The key of all idempotency keys of this installation."""

from __future__ import annotations

import hashlib
import hmac
from functools import lru_cache

from django.conf import settings


@lru_cache(maxsize=1)
def idempotency_secret() -> bytes:
    """Derived from SECRET_KEY, so all workers agree; stable as long as that is."""
    return hmac.digest(settings.SECRET_KEY.encode(), b"brainops.idempotency", hashlib.sha256)
