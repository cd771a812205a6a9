"""Dry runs: what a workflow would do, without doing it. Nothing is written but an audit entry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection

from automation.engine.commands import FindFile, ReadFilePiece
from automation.engine.document.parse import parse_document
from automation.engine.dry_run import Callee, DryLimits, Effect, Scenario, Unresolved, rehearse
from automation.engine.plan import Plan, PlanError, build_plan
from automation.engine.secrets import Mask
from automation.models import Secret, Variable, Workflow, WorkflowVersion
from automation.services import documents, versions
from automation.services.workflows import get_workflow
from automation.steps import all_kinds
from automation.store import secrets as stored_secrets
from automation.store.callees import find_callee
from automation.store.commands import files as stored_files
from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission
from brainops.audit.services import record
from brainops.core import clock
from brainops.core.errors import Conflict, InvalidInput, NotFound, Problem
from brainops.core.redact import redact

SIMULATE, PERFORM = "simulate", "perform"
BODIES = ("steps", "catch", "finally")

Json = Any


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to rehearse. `definition` is an unsaved document in the place of a version; `samples` are answers by step.

    `reads` is "simulate" or "perform": whether reads are really made. Writes never are.
    """

    inputs: Json = field(default_factory=dict)
    trigger: Json = None
    samples: Mapping[str, Json] = field(default_factory=dict)
    reads: str = SIMULATE
    version: str | None = None
    definition: Json = None


@dataclass(frozen=True, slots=True)
class DryRun:
    """A report about a workflow, secrets masked. `version` is None for an unsaved document."""

    workflow: Workflow
    version: str | None
    reads: str
    report: Mapping[str, Json]

    @property
    def effect_counts(self) -> dict[str, int]:
        """How many effects of each sort, those of called workflows included."""
        return dict(Counter(effect["effect"] for effect in flattened(self.report["effects"])))


def dry_run(caller: Caller, workflow_id: UUID | str, wanted: Wanted) -> DryRun:
    """Rehearse a run. Needs the right to run the workflow; for an unsaved document also that to change it.

    Raises NotFound, PermissionDenied, InvalidInput for the document, inputs or samples.
    """
    done = rehearsed(caller, workflow_id, wanted)
    _audit(caller, done)
    return done


def rehearsed(caller: Caller, workflow_id: UUID | str, wanted: Wanted) -> DryRun:
    """Rehearse as `dry_run` does, for a caller who writes the audit entry: many rehearsals have one together."""
    workflow = get_workflow(caller, workflow_id)
    caller.require(Permission.RUNS_EXECUTE, created_by=workflow.owner_id)
    if wanted.definition is not None:
        caller.require(Permission.WORKFLOWS_UPDATE, created_by=workflow.owner_id)
    definition, number, missing = _document(workflow, wanted)
    plan = _planned(definition, number)
    _check_givens(plan, definition, wanted)
    report = rehearse(plan, definition, _scenario(workflow, number, wanted))
    report.unresolved[:0] = missing
    return DryRun(workflow, number, wanted.reads, redact(asdict(report)))


def flattened(effects: list[Mapping[str, Json]]) -> Iterator[Mapping[str, Json]]:
    """Every effect, those of called workflows behind the call."""
    for effect in effects:
        yield effect
        yield from flattened(effect["inside"])


def _document(workflow: Workflow, wanted: Wanted) -> tuple[Mapping[str, Json], str | None, list[Unresolved]]:
    """The document to rehearse, its version's number, and the connections it lacks."""
    if wanted.definition is not None:
        return wanted.definition, None, _missing_connections(wanted.definition)
    if wanted.version is None or wanted.version == workflow.version:
        return workflow.definition, workflow.version, []
    return _version(workflow, wanted.version).definition, wanted.version, []


def _version(workflow: Workflow, number: str) -> WorkflowVersion:
    try:
        return versions.get_version(workflow, number)
    except NotFound as error:
        said = f"The workflow has no version {number[:40]!r}. /workflows/{workflow.id}/versions lists them."
        raise InvalidInput(said, problems=[Problem("unknown_version", said, "/version")]) from error


def _missing_connections(definition: Json) -> list[Unresolved]:
    """Connections that are not there do not keep a document from being rehearsed. Raises InvalidInput for the rest."""
    problems = list(documents.refusals(definition))
    lacks = {problem.pointer: problem for problem in problems if problem.pointer.endswith("/connection")}
    if len(lacks) < len(problems):
        raise InvalidInput.from_problems(problem for problem in problems if problem.pointer not in lacks)
    steps = {f"/definition{step.at('connection')}": step for step in parse_document(definition).steps()}
    return [
        Unresolved("missing_connection", steps[pointer].id, problem.message, pointer=pointer, is_assumed=True)
        for pointer, problem in lacks.items()
        if pointer in steps
    ]


def _planned(definition: Mapping[str, Json], number: str | None) -> Plan:
    try:
        return build_plan(once(definition), all_kinds())
    except PlanError as error:
        said = f"Version {number} cannot run in this release: {error} Save the workflow anew."
        raise Conflict(said, code="version_not_runnable") from error


def once(document: Mapping[str, Json]) -> dict[str, Json]:
    """The document with one attempt a step: a rehearsal does not wait for a service to get well."""
    said = dict(document)
    for key in BODIES:
        if isinstance(said.get(key), list):
            said[key] = [_step_once(step) for step in said[key]]
    if isinstance(said.get("try"), dict):
        said["try"] = once(said["try"])
    return said


def _step_once(step: Json) -> Json:
    if not isinstance(step, dict):
        return step
    said = once(step)
    return said if "steps" in said else {**said, "retry": {"max_attempts": 1}}


def _check_givens(plan: Plan, definition: Mapping[str, Json], wanted: Wanted) -> None:
    """Raise InvalidInput with everything wrong with inputs and samples."""
    found = plan.inputs.check(plan.inputs.complete(wanted.inputs))
    problems = [Problem(one.code, one.message, f"/inputs{one.pointer}") for one in found]
    known = {step.id for step in parse_document(definition).steps()}
    for name in wanted.samples:
        if name not in known:
            said = f"A sample is given for {name[:80]!r}, which is no step of this workflow. Name a step's id."
            problems.append(Problem("unknown_step", said, f"/samples/{name[:80]}"))
    if problems:
        raise InvalidInput.from_problems(problems)


def _scenario(workflow: Workflow, number: str | None, wanted: Wanted) -> Scenario:
    limits, home = settings.BRAINOPS_LIMITS, workflow.workspace_id
    about = {"id": "dry-run", "number": 0, "workflow": workflow.name, "version": number or "", "attempt": 1}
    return Scenario(
        inputs=wanted.inputs,
        trigger=wanted.trigger,
        variables=dict(Variable.objects.filter(workspace_id=home).values_list("name", "value")),
        secrets=frozenset(Secret.objects.filter(workspace_id=home).values_list("name", flat=True)),
        mask=_mask(home) if wanted.reads == PERFORM else lambda value: value,
        samples=wanted.samples,
        performs_reads=wanted.reads == PERFORM,
        id=str(workflow.id),
        run={**about, "mode": "dry_run"},
        now=clock.now(),
        find=_finder(home),
        files=partial(_look_at_file, home),
        limits=DryLimits(
            seconds=limits["dry_run_seconds"], attempts=limits["dry_run_steps"], depth=limits["call_depth"]
        ),
    )


def _look_at_file(workspace_id: UUID, command: FindFile | ReadFilePiece) -> Json:
    """What a step that reads a file is answered, as in a run."""
    with connection.cursor() as cursor:
        return stored_files.answer(cursor, workspace_id, command)


def _mask(workspace_id: UUID) -> Mask:
    """What takes every secret of the workspace out of an answer. Raises SecretUnreadable."""
    names = list(Secret.objects.filter(workspace_id=workspace_id).values_list("name", flat=True))
    with connection.cursor() as cursor:
        return stored_secrets.opened(stored_secrets.find(cursor, workspace_id, names), ()).mask


def _finder(workspace_id: UUID) -> Callable[[str, str], Callee]:
    """How calls find their workflows: in this workspace only, as runs do."""

    def find(workflow: str, version: str) -> Callee:
        with connection.cursor() as cursor:
            found = find_callee(cursor, workspace_id, workflow, version)
        definition = WorkflowVersion.objects.values_list("definition", flat=True).get(id=found.version_id)
        plan = build_plan(once(definition), all_kinds())
        return Callee(str(found.workflow_id), found.name, definition, plan, found.checked)

    return find


def _audit(caller: Caller, done: DryRun) -> None:
    what = f"version {done.version}" if done.version else "an unsaved document"
    reads = ", reads performed" if done.reads == PERFORM else ""
    record(
        actor=caller,
        workspace_id=done.workflow.workspace_id,
        action="workflow.dry_run",
        target_kind="workflow",
        target_id=done.workflow.id,
        summary=f"Dry run of workflow {done.workflow.name!r}, {what}{reads}: {done.report['status']}.",
    )


__all__ = ["PERFORM", "SIMULATE", "DryRun", "Effect", "Wanted", "dry_run", "flattened", "rehearsed"]
