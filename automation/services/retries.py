"""Retries: a new run that repeats an ended one, from the start, from what failed, or from one step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction

from automation.engine.document import Document, parse_document
from automation.engine.keep import KeptPaths, Restart, failed_steps, kept_paths
from automation.engine.results import StepResult
from automation.engine.status import RunStatus, StepStatus
from automation.engine.wording import did_you_mean
from automation.models import Run, RunMode, StepRun, WorkflowVersion
from automation.services import payloads, runs
from automation.services.rights import require_on_workflow
from automation.services.runs import Kept, StartedRun
from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission
from brainops.accounts.scoping import get_scoped
from brainops.audit.services import record
from brainops.core.errors import Conflict, InvalidInput, Problem

START, FAILED = "start", "failed"
STEP_MARK = "step:"  # for a step that is itself called "start" or "failed"
SAME, LATEST = "same", "latest"


@dataclass(frozen=True, slots=True)
class Repeat:
    """How to repeat a run. `inputs` None takes those of the run; kept steps keep results of the old inputs."""

    origin: str = FAILED  # START, FAILED or a step's id
    version: str = SAME
    inputs: Any = None

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Repeat:
        """Read `{"from", "version", "inputs"}`, each of which may be absent."""
        return cls(said.get("from", FAILED), said.get("version", SAME), said.get("inputs"))

    @property
    def step(self) -> str | None:
        """The step to start from, if one was named."""
        return None if self.origin in (START, FAILED) else self.origin.removeprefix(STEP_MARK)


@dataclass(frozen=True, slots=True)
class Planned:
    """A retry that could start now: the run, the version to run, and the rows that stay."""

    run: Run
    version: WorkflowVersion
    kept: KeptPaths


def retry(
    caller: Caller,
    uid: UUID | str,
    repeat: Repeat,
    *,
    mode: RunMode = RunMode.ASYNC,
    dedupe_key: str | None = None,
    queue: str | None = None,
) -> StartedRun:
    """Start a run that repeats the run `uid`. Its `parent_run_id` is that run. `dedupe_key`, `queue`: as of a start.

    Raises NotFound, PermissionDenied, Conflict (`run_not_final`, `nothing_to_retry`, and those of a start) and
    InvalidInput.
    """
    planned = plan(caller, uid, repeat)
    run = planned.run
    given = payloads.whole_input(run)
    with transaction.atomic():
        started = runs.start(
            run.workflow_id,
            workspace_id=run.workspace_id,
            inputs=given.get("inputs") if repeat.inputs is None else repeat.inputs,
            trigger=given.get("trigger"),
            trigger_id=run.trigger_id,
            created_by_id=caller.user_id,
            mode=mode,
            version=planned.version.number,
            dedupe_key=dedupe_key,
            queue=queue,
            kept=Kept(run.id, planned.kept),
        )
        _audit(caller, run, started, repeat)
    return started


def plan(caller: Caller, uid: UUID | str, repeat: Repeat) -> Planned:
    """What a retry would keep. Raises as `retry` does, save for what only a start finds out."""
    rows = Run.objects.select_related("data", "version", "workflow__current_version")
    run = get_scoped(rows, caller, uid, by="uid")
    require_on_workflow(caller, Permission.RUNS_RETRY, run.workflow_id)
    if not run.is_final:
        said = f"The run has not ended: it is {run.status_word}. Cancel it or wait for its end, then retry it."
        raise Conflict(said, code="run_not_final", details={"run_status": run.status_word})
    version = run.version if repeat.version == SAME else run.workflow.current_version or run.version
    return Planned(run, version, _kept(run, version, repeat))


def _kept(run: Run, version: WorkflowVersion, repeat: Repeat) -> KeptPaths:
    old, new = parse_document(run.version.definition), parse_document(version.definition)
    _check_step(new, repeat)
    if repeat.origin == START:
        return KeptPaths()
    results = {
        step.path: StepResult(step.path, step.kind, StepStatus(step.status))
        for step in StepRun.objects.filter(run=run).only("run_id", "path", "kind", "status")
    }
    if repeat.origin == FAILED and run.status == RunStatus.SUCCEEDED and not failed_steps(old, results):
        raise Conflict("No step of the run failed. Retry it from the start or from a step.", code="nothing_to_retry")
    return kept_paths(old, new, results, restart=repeat.step)


def _check_step(document: Document, repeat: Repeat) -> None:
    if repeat.step is None:
        return
    start = Restart.read(repeat.step)
    steps = {step.id: step for step in document.steps()}
    if start.step not in steps:
        what = f"there is no step {start.step[:63]!r}.{did_you_mean(start.step, list(steps))}"
    elif start.item is not None and not steps[start.step].fields.keys() & {"for_each", "while"}:
        what = f"{start.step!r} is no loop and has no item {start.item}."
    else:
        return
    said = f'"from" must be "start", "failed", a step of the version or an item of a loop as in "loop[17]"; {what}'
    raise InvalidInput(said, problems=[Problem("unknown_step", said, "/from")])


def _audit(caller: Caller, run: Run, started: StartedRun, repeat: Repeat) -> None:
    record(
        actor=caller,
        workspace_id=run.workspace_id,
        action="run.retry",
        target_kind="run",
        target_id=run.uid,
        summary=f"Retried a run of workflow {run.workflow.name!r} from {repeat.origin!r} as run {started.uid}.",
    )
