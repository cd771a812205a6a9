"""`Idempotency-Key` at the door: the same request twice is done once."""

from __future__ import annotations

from collections.abc import Callable

from rest_framework.request import Request

from automation.services import idempotency
from automation.services.idempotency import Answer, check_key, digest_of
from brainops.accounts.caller import Caller

REPLAYED = {"Brainops-Duplicate": "true"}


def once(request: Request, caller: Caller, work: Callable[[], Answer]) -> Answer:
    """Do `work`, or give the answer that the same request got before. Without the header it is simply done."""
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        return work()
    asked = idempotency.Request(
        key=check_key(key),
        workspace_id=caller.workspace(),
        caller=f"key:{caller.credential_id}" if caller.via == "api_key" else f"user:{caller.user_id}",
        digest=digest_of(request.method or "", request.path, request.data),
    )
    return idempotency.once(asked, work)
