"""`Idempotency-Key` at the door: the same request twice is done once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rest_framework.request import Request

from automation.services import idempotency
from automation.services.idempotency import Answer, check_key, digest_of
from brainops.accounts.caller import Caller
from brainops.core.api.idempotent import REPLAYED, keepers

__all__ = ["REPLAYED", "once"]


def once(request: Request, caller: Caller, work: Callable[[], Answer], *, said: Any = None) -> Answer:
    """Do `work`, or give the answer that the same request got before. Without the header it is simply done.

    `said` stands for what the request says where that is not its JSON body: the sum of a file, for one.
    """
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        return work()
    asked = idempotency.Request(
        key=check_key(key),
        workspace_id=caller.workspace(),
        caller=f"key:{caller.credential_id}" if caller.via == "api_key" else f"user:{caller.user_id}",
        digest=digest_of(request.method or "", request.path, request.data if said is None else said),
    )
    return idempotency.once(asked, work)


keepers.register("database", once)  # for the rooms below
