"""Call another workflow: start a run of it once, and look at that run whenever the step asks again.

A step has one called run. Only after that one failed may a later attempt of the step start another one.
"""

from __future__ import annotations

from typing import Any

import orjson

from automation.engine.commands import CallWorkflow, CancelCall, CommandRefused
from automation.engine.expressions import ExpressionError
from automation.engine.limits import Place, place_of
from automation.engine.points import reach
from automation.engine.status import RunStatus
from automation.models import RunMode
from automation.store.callees import Callee, check_depth, find_callee, refuse_cycle
from automation.store.cancel import cancel_runs
from automation.store.commands import CommandContext
from automation.store.intake import CalledBy, NewRun
from automation.store.limits import LimitFull
from automation.store.payloads import whole
from automation.store.start import start_run

Json = Any

# The attempt that started a run stands behind its path: `billing` for the first, `billing#2` for the second.
FIND_CHILD = """
select r.id, r.uid, r.status, r.called_by_path, d.output::text, d.output_ref, d.error::text
from automation_run r join automation_rundata d on d.run_id = r.id
where r.called_by_run_id = %s and r.called_by_path = any(%s) order by r.id desc limit 1
"""

CALLER = "select queue, priority, mode, created_by_id from automation_run where id = %s"

UNENDED_CHILDREN = """
select id from automation_run
where called_by_run_id = %s and called_by_path = any(%s) and not is_detached and status < 50
"""

MARK_CALLER = "update automation_run set has_children = true where id = %s and not has_children"


def _call(cursor: Any, context: CommandContext, command: CallWorkflow) -> Json:
    paths = [_child_path(context.path, attempt) for attempt in range(1, context.attempt + 1)]
    cursor.execute(FIND_CHILD, (context.run_id, paths))
    child = cursor.fetchone()
    if child is not None and not _may_start_another(child[2], is_latest=child[3] == paths[-1]):
        return _look(cursor, child)
    uid = _start(cursor, context, command, paths[-1])
    reach("in_child_create")
    return {"run": uid, "status": RunStatus.QUEUED.word, "output": None, "error": None, "is_final": False}


def _child_path(path: str, attempt: int) -> str:
    return path if attempt == 1 else f"{path}#{attempt}"


def _may_start_another(status: int, *, is_latest: bool) -> bool:
    return not is_latest and RunStatus(status).is_final and status != RunStatus.SUCCEEDED


def _look(cursor: Any, child: tuple[Any, ...]) -> Json:
    run_id, uid, status, _path, output, output_ref, error = child
    return {
        "run": str(uid),
        "status": RunStatus(status).word,
        "output": whole(cursor, run_id, orjson.loads(output) if output else None, output_ref),
        "error": orjson.loads(error) if error else None,
        "is_final": RunStatus(status).is_final,
    }


def _start(cursor: Any, context: CommandContext, command: CallWorkflow, path: str) -> str:
    check_depth(context.depth + 1)
    callee = find_callee(cursor, context.workspace_id, command.workflow, command.version)
    refuse_cycle(cursor, context, callee)
    try:
        started = start_run(cursor, _new_run(cursor, context, command, callee, path), is_pinned=callee.is_pinned)
    except LimitFull as full:
        raise CommandRefused(full.code, str(full), is_temporary=not full.is_skip) from full
    if started is None:
        said = f"The workflow {callee.name!r} is being changed at this moment. Run the step again."
        raise CommandRefused("workflow_changing", said, is_temporary=True)
    if not command.is_detached:
        cursor.execute(MARK_CALLER, (context.run_id,))
    return str(started.uid)


def _new_run(cursor: Any, context: CommandContext, command: CallWorkflow, callee: Callee, path: str) -> NewRun:
    """What its caller waits for goes the caller's way: the same queue and priority. Others go their own."""
    cursor.execute(CALLER, (context.run_id,))
    queue, priority, mode, created_by_id = cursor.fetchone()
    inputs = callee.checked(command.inputs)
    trigger = {"type": "call", "run": str(context.run_uid), "step": context.path}
    place = _place(callee, inputs, trigger)
    return NewRun(
        workspace_id=context.workspace_id,
        workflow_id=callee.workflow_id,
        version_id=callee.version_id,
        inputs=inputs,
        trigger=trigger,
        created_by_id=created_by_id,
        mode=RunMode.TEST if mode == RunMode.TEST else RunMode.ASYNC,
        queue=place.queue if command.is_detached else queue,
        priority=place.priority if command.is_detached else priority,
        slot=place.slot,
        deadline_seconds=callee.settings.timeout_seconds,
        called_by=CalledBy(context.run_id, path, context.depth + 1, command.is_detached),
        calls_on_failure=callee.settings.on_failure is not None,
    )


def _place(callee: Callee, inputs: Json, trigger: Json) -> Place:
    """Where the called run goes; a step asks for this very run, so it is not gathered with other starts."""
    try:
        return place_of(callee.settings, callee.workflow_id, inputs=inputs, trigger=trigger, may_gather=False)
    except ExpressionError as error:
        raise CommandRefused("limit_key", f"Where the called run belongs cannot be told: {error}") from error


def _cancel(cursor: Any, context: CommandContext, _command: CancelCall) -> Json:
    paths = [_child_path(context.path, attempt) for attempt in range(1, context.attempt + 1)]
    cursor.execute(UNENDED_CHILDREN, (context.run_id, paths))
    cancel_runs(cursor, [run_id for (run_id,) in cursor.fetchall()])
    return None


HANDLERS = {CallWorkflow: _call, CancelCall: _cancel}
POLLS = frozenset({CallWorkflow, CancelCall})
RINGS = frozenset({CallWorkflow})
