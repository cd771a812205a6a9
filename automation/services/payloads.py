"""Payloads as services need them: one by its checksum, and values that may stand in one."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from django.db import connection

from automation.models import Run
from automation.store import payloads
from automation.store.payloads import BrokenPayload
from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission
from brainops.core.errors import Conflict, NotFound

_SHA256 = re.compile(r"[0-9a-f]{64}")


def read(caller: Caller, uid: UUID, sha256: str) -> bytes:
    """The JSON text of a payload of a run of the caller's workspace. Raises NotFound, Conflict (`payload_broken`)."""
    caller.require(Permission.RUNS_READ)
    if _SHA256.fullmatch(sha256) is None:
        raise NotFound
    with connection.cursor() as cursor:
        try:
            found = payloads.read_payload(cursor, uid, sha256, workspace_id=caller.workspace())
        except BrokenPayload as broken:
            raise _refusal(broken) from broken
    if found is None:
        raise NotFound
    return found


def whole_input(run: Run) -> dict[str, Any]:
    """The run's whole input, `{"inputs": …, "trigger": …}`. Raises Conflict (`payload_broken`)."""
    with connection.cursor() as cursor:
        try:
            value: dict[str, Any] = payloads.whole(cursor, run.id, run.data.input, run.data.input_ref)
        except BrokenPayload as broken:
            raise _refusal(broken) from broken
    return value


def _refusal(broken: BrokenPayload) -> Conflict:
    return Conflict(str(broken), code="payload_broken")
