"""How fast one key or login, one user and one workspace may call: the throttle of every view of the API."""

from __future__ import annotations

from typing import Any, Literal

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from brainops.accounts.caller import Caller
from brainops.core.ratelimit.buckets import Bucket
from brainops.core.ratelimit.rates import bucket, require
from brainops.core.web.rates import tell

Kind = Literal["reads", "writes", "starts", "transfers"]


class CallerRate(BaseThrottle):
    """Counts each request of a known caller; those of strangers are limited by network (`core/web/rates.py`).

    GET is a read, everything else a write, unless the view says otherwise: `rate_kinds = {"post": "starts"}`, by
    action for viewsets and by lower-case method for plain views.
    """

    def allow_request(self, request: Request, view: Any) -> bool:
        """True, or raises TooManyRequests."""
        if isinstance(request.auth, Caller):
            tell(request, require(*buckets_of(request.auth, kind_of(view, request.method or "GET"))))
        return True


def kind_of(view: Any, method: str) -> Kind:
    """What a request counts as."""
    kinds: dict[str, Kind] = getattr(view, "rate_kinds", {})
    action = getattr(view, "action", None) or method.lower()
    return kinds.get(action) or ("reads" if method in ("GET", "HEAD", "OPTIONS") else "writes")


def buckets_of(caller: Caller, kind: Kind) -> tuple[Bucket, ...]:
    """The caller's buckets, the narrowest first. A caller without a workspace has those of the user alone."""
    home = caller.workspace_id
    mine = bucket(f"key_{kind}", home, caller.credential_id), bucket(f"user_{kind}", home, caller.user_id)
    return mine if home is None else (*mine, bucket(f"workspace_{kind}", home))
