"""Start a run for a caller: once per Idempotency-Key, and wait for its end if that was asked."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.db import connection
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from automation.api import run_shape
from automation.api.idempotent import REPLAYED, once
from automation.services import run_reading, waiting
from automation.services.idempotency import Answer
from automation.services.limits import StartSkipped
from automation.services.runs import StartedRun
from automation.store.read_run import find_run
from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission


def start_and_answer(
    request: Request,
    caller: Caller,
    start: Callable[[], StartedRun],
    *,
    wait_seconds: float | None,
    parent: UUID | None = None,
) -> Response:
    """202 with the run's address; 200 with the run when it ended within `wait_seconds`, 200 without one when skipped.

    A repeated request waits for the run that the first one started.
    """
    started: list[StartedRun] = []

    def work() -> Answer:
        try:
            started.append(start())
        except StartSkipped as skipped:
            return Answer(status.HTTP_200_OK, run_shape.skipped(skipped), {})
        body = run_shape.accepted(started[0], parent=parent)
        return Answer(status.HTTP_202_ACCEPTED, body, {"Location": body["url"]})

    answer = once(request, caller, work)
    extra = REPLAYED if answer.is_replay else {}
    if wait_seconds is not None and answer.body["id"] is not None:
        uid = UUID(str(answer.body["id"]))
        run_id = started[0].id if started else _inner_id(caller, uid)
        if run_id is not None and waiting.wait_for_end(run_id, seconds=wait_seconds) and _may_read(caller):
            return Response(run_shape.run(run_reading.read(caller, uid)), headers=extra)
    return Response(answer.body, answer.status, headers={**answer.headers, **extra})


def _inner_id(caller: Caller, uid: UUID) -> int | None:
    """The inner id of a run that an earlier request started; None when it was deleted since."""
    with connection.cursor() as cursor:
        return find_run(cursor, uid, workspace_id=caller.workspace())


def _may_read(caller: Caller) -> bool:
    """A key that may only execute gets the address, never the contents."""
    return caller.may(Permission.RUNS_READ)
