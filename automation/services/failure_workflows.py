"""Failure workflows: when a run fails or runs out of time, the workflow that its settings name is started once.

A handler's own failure starts no further one. What a handler calls may have a handler of its own; the depth of calls
bounds that.
"""

from __future__ import annotations

from typing import Any

import structlog
from django.conf import settings
from django.db import connection, transaction

from automation.engine.commands import CommandRefused
from automation.services import runs
from automation.store import failure_calls
from automation.store.callees import Callee, check_depth, find_callee
from automation.store.failure_calls import FailedRun
from automation.store.intake import CalledBy
from brainops.core.errors import AppError

MOST_A_TICK = 100

Json = Any

log = structlog.get_logger(__name__)


def start_due() -> int:
    """Start the handlers of runs that failed since the last look; return how many were started.

    One transaction each: the handler's run and the note that it was started stand together or not at all.
    """
    started = 0
    for _ in range(MOST_A_TICK):
        with transaction.atomic():
            outcome = _start_next()
        if outcome is None:
            break
        started += outcome
    return started


def _start_next() -> bool | None:
    """Deal with one failed run: True when its handler was started, None when no run is left."""
    with connection.cursor() as cursor:
        failed = failure_calls.take_failed(cursor)
        if failed is None:
            return None
        refusal = None
        try:
            with transaction.atomic():
                handler = _start(cursor, failed)
        except (CommandRefused, AppError) as error:
            refusal = str(error)
        failure_calls.clear(cursor, failed.id)
        if refusal is None:
            failure_calls.say(cursor, failed.id, "info", f"Started {handler.name!r}, because this run failed.")
            return True
        log.warning("failure_workflow_refused", run_id=str(failed.uid), handler=failed.handler, reason=refusal)
        said = f"The failure workflow {failed.handler!r} was not started: {refusal}"
        failure_calls.say(cursor, failed.id, "error", said)
        return False


def _start(cursor: Any, failed: FailedRun) -> Callee:
    """Start the handler's run. Raises CommandRefused, AppError when it may not run."""
    if failed.handler is None:
        raise CommandRefused("unknown_workflow", "The version that named it is gone.")
    check_depth(failed.depth + 1)
    callee = find_callee(cursor, failed.workspace_id, failed.handler)
    runs.start(
        callee.workflow_id,
        workspace_id=failed.workspace_id,
        inputs=_inputs(callee, failed),
        trigger={"kind": "failure", "run": str(failed.uid)},
        created_by_id=failed.created_by_id,
        dedupe_key=f"failure:{failed.uid}",
        handles=CalledBy(failed.id, failure_calls.PATH, failed.depth + 1, is_detached=True),
    )
    return callee


def _inputs(callee: Callee, failed: FailedRun) -> dict[str, Json]:
    """What the handler is told: `run` and `error` where its schema admits them, `inputs` when it declares them."""
    about = {"run": _about(failed), "error": failed.error}
    told = {name: value for name, value in about.items() if callee.inputs.admits(name)}
    return {**told, "inputs": failed.inputs} if "inputs" in callee.inputs.names else told


def _about(failed: FailedRun) -> dict[str, Json]:
    return {
        "id": str(failed.uid),
        "workflow": failed.workflow_name,
        "workflow_id": str(failed.workflow_id),
        "version": failed.version,
        "number": failed.id,
        "status": failed.status.word,
        "started_at": (failed.started_at or failed.created_at).isoformat(),
        "finished_at": failed.finished_at.isoformat(),
        "url": f"{settings.BRAINOPS_PUBLIC_URL}/admin/automation/run/{failed.uid}/",
    }
