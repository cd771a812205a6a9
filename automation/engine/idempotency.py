"""Idempotency keys: the same for every repeat of one step of one run, different everywhere else."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode

PREFIX = "bo_"


def idempotency_key(secret: bytes, run_uid: str, path: str) -> str:
    """`bo_` and 43 characters, stable over retries, resumes and workers.

    HMAC-SHA256 over `<run uid>|<path>` (a uid holds no bar), so nobody outside can foresee a key. A retried run is
    a new run and has new keys.
    """
    digest = hmac.digest(secret, f"{run_uid}|{path}".encode(), hashlib.sha256)
    return PREFIX + urlsafe_b64encode(digest).rstrip(b"=").decode()
