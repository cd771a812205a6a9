"""DryFlow: one workflow of a dry run. What it calls are flows of their own, with the same report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from automation.engine.attempt import Surroundings, attempt
from automation.engine.calls import CALL_KIND
from automation.engine.commands import CallWorkflow, Command, CommandRefused
from automation.engine.containers import TITLES
from automation.engine.dry_run import report as sources
from automation.engine.dry_run.answer import ANSWERED, answer_of, assumed, first_port
from automation.engine.dry_run.doubt import Doubt
from automation.engine.dry_run.notes import Notes
from automation.engine.dry_run.prepare import Draft, container_templates, draft_of, written_configs
from automation.engine.dry_run.report import Allowance, Effect, Report, Step, Unresolved
from automation.engine.dry_run.scenario import Callee, Scenario
from automation.engine.finish import Finished
from automation.engine.kinds import Done, Fail, Outcome
from automation.engine.planned import PlannedStep
from automation.engine.prepare import Prepared, Skipped, prepare
from automation.engine.results import StepResult, id_of
from automation.engine.secrets import masked_outcome
from automation.engine.simulate import Setup, Simulated, run_flow
from automation.engine.stand_in import Workspace
from automation.engine.status import RunStatus, StepStatus

Json = Any
NO_WORKFLOW = frozenset({"unknown_workflow", "ambiguous_workflow", "unknown_version", "version_not_runnable"})


class DryFlow:
    """`chain` are the ids of the workflows around it, itself last; `effects` is where its effects are listed."""

    def __init__(
        self,
        workflow: Callee,
        scenario: Scenario,
        report: Report,
        allowance: Allowance,
        *,
        effects: list[Effect],
        prefix: str = "",
        chain: tuple[str, ...] = (),
    ) -> None:
        self._plan = workflow.plan
        self._written = written_configs(workflow.definition)
        self._templates = container_templates(workflow.definition)
        self._scenario = scenario
        self._report = report
        self._allowance = allowance
        self._prefix = prefix
        self._chain = (*chain, workflow.id)
        self._notes = Notes(report, allowance, effects, prefix)
        self._doubt = Doubt()
        self._draft = Draft({})
        self._rows: dict[str, StepResult] = {}

    def run(self, inputs: Json, trigger: Json) -> Simulated:
        """To the end. Raises Stopped."""
        setup = Setup(
            inputs=inputs,
            trigger=trigger,
            variables=self._scenario.variables,
            run=self._scenario.run,
            now=self._scenario.now,
            is_dry=True,
            workspace=Workspace(files=self._scenario.files),
            on_row=self._see,
            prepare=self._prepare,
            attempt=self._attempt,
        )
        ended = run_flow(self._plan, setup)
        if ended.finished.status is RunStatus.FAILED and self._plan.settings.on_failure:
            self._notes.failure_workflow(self._plan.settings.on_failure)
        return replace(ended, finished=self._judged(ended.finished))

    def steps(self) -> list[Step]:
        """Every row, and the steps that nothing led to."""
        said = [self._said(row) for row in self._rows.values()]
        reached = {id_of(row.path) for row in self._rows.values()}
        silent = [step for step in self._plan.steps if step.id not in reached]
        return said + [Step(step.path, step.kind.key, "not_reached") for step in silent]

    def _said(self, row: StepResult) -> Step:
        output, reason = self._allowance.shown(row.output), self._allowance.shown(row.reason)
        return Step(row.path, row.kind, row.status.word, row.port, output, reason, row.error)

    def _see(self, row: StepResult) -> None:
        """Keep the row. A container that failed over its own expressions is told as missing something."""
        self._rows[row.path] = row
        error = row.error or {}
        if row.kind in TITLES and row.status is StepStatus.FAILED and error.get("step") == row.path:
            is_assumed = self._doubt.reads(self._templates.get(id_of(row.path), ()))
            code = "unresolved_expression" if error["type"] in ("expression", "items") else error["type"]
            path = f"{self._prefix}{row.path}"
            self._notes.unresolved(Unresolved(code, path, error["message"], is_assumed=is_assumed))

    def _judged(self, finished: Finished) -> Finished:
        """An output that cannot be rendered for want of real answers is no failure."""
        error = finished.error or {}
        if error.get("type") != "output_expression":
            return finished
        details = error["details"]
        is_assumed = self._doubt.explains(details)
        said = Unresolved(
            "unresolved_expression",
            f"{self._prefix}output",
            error["message"],
            details["expression"],
            f"/output{details['pointer']}",
            is_assumed,
        )
        self._notes.unresolved(said)
        return Finished(RunStatus.SUCCEEDED) if is_assumed else finished

    # what stands in for the engine's own

    def _prepare(self, step: PlannedStep, scope: Mapping[str, Json]) -> Prepared | Skipped | Fail:
        """As the engine does; what fails for want of a real answer goes on as far as it is known."""
        self._allowance.spend(self._scenario.seconds())
        prepared = prepare(step, scope)
        self._notes.asked_if(step, prepared, scope)
        if isinstance(prepared, Skipped):
            return prepared
        self._notes.lacks_secrets(step, self._scenario.secrets)
        if isinstance(prepared, Prepared):
            self._draft = Draft(prepared.config)
            return prepared
        written = self._written.get(step.id, {})
        draft, missing = draft_of(step, written, prepared, scope, self._doubt, self._prefix)
        self._notes.unresolved(*missing)
        if draft is None:
            return prepared
        self._draft = draft
        return draft.prepared(step)

    def _attempt(self, step: PlannedStep, prepared: Prepared, number: int, around: Surroundings) -> Outcome:
        draft = self._draft
        entry = self._notes.effect(step, draft, prepared)
        outcome, source = self._answered(step, prepared, number, self._bounded(step, around), entry)
        if isinstance(outcome, Fail) and source == sources.COMPUTED and step.kind.key != "fail":
            is_doubtful = self._doubt.touches(step)
            self._notes.missing(step, outcome.error, is_assumed=is_doubtful)
            if is_doubtful:
                outcome, source = assumed(step.kind, draft.config), sources.ASSUMED
        if source not in ANSWERED or (source == sources.COMPUTED and self._doubt.touches(step)):
            self._doubt.add(step)
        self._notes.answer(entry, outcome, source)
        self._notes.took_port(step, outcome, is_assumed=source == sources.ASSUMED)
        self._notes.lines(step, outcome)
        return outcome

    def _answered(
        self, step: PlannedStep, prepared: Prepared, number: int, around: Surroundings, entry: Effect | None
    ) -> tuple[Outcome, str]:
        samples = self._scenario.samples
        if step.id in samples and not self._prefix:
            return Done(samples[step.id], port=first_port(step.kind, self._draft.config)), sources.SAMPLE
        if step.kind.key == CALL_KIND.key and self._draft.is_certain:
            return self._call(step, prepared, number, around, entry), sources.CALLED
        reads = self._scenario.performs_reads
        outcome, source = answer_of(step, self._draft, number, around, performs_reads=reads)
        is_read = source == sources.PERFORMED
        return masked_outcome(outcome, self._scenario.mask) if is_read else outcome, source

    def _bounded(self, step: PlannedStep, around: Surroundings) -> Surroundings:
        """Reads and code take no longer than the dry run may."""

        def left() -> float:
            return min(step.timeout_seconds, self._allowance.ends_at - self._scenario.seconds())

        return replace(around, remaining_seconds=left, is_cancelled=lambda: left() <= 0, is_dry=False)

    # called workflows

    def _call(
        self, step: PlannedStep, prepared: Prepared, number: int, around: Surroundings, entry: Effect | None
    ) -> Outcome:
        def perform(command: Command) -> Json:
            if isinstance(command, CallWorkflow):
                return self._called(step, command, entry)
            return around.perform(command)

        outcome = attempt(step, prepared, number, replace(around, perform=perform))
        if isinstance(outcome, Fail) and outcome.error.type in NO_WORKFLOW:
            missing = Unresolved("missing_workflow", f"{self._prefix}{step.path}", outcome.error.message)
            self._notes.unresolved(missing)
        return outcome

    def _called(self, step: PlannedStep, command: CallWorkflow, entry: Effect | None) -> Json:
        """A dry run of the called workflow. Raises CommandRefused."""
        callee, most = self._scenario.find(command.workflow, command.version), self._scenario.limits.depth
        if callee.id in self._chain:
            said = f"The calls go round in a circle: {callee.name!r} is under way already."
            raise CommandRefused("call_cycle", said)
        if len(self._chain) > most:
            raise CommandRefused("calls_too_deep", f"At most {most} calls may stand one in another.")
        inner = DryFlow(
            callee,
            self._scenario,
            self._report,
            self._allowance,
            effects=entry.inside if entry else [],
            prefix=f"{self._prefix}{step.path}/",
            chain=self._chain,
        )
        trigger = {"type": "call", "run": None, "step": step.path}
        ended = inner.run(callee.checked(command.inputs), trigger).finished
        status = RunStatus.QUEUED.word if command.is_detached else ended.status.word
        return {"run": None, "status": status, "output": ended.output, "error": ended.error, "is_final": True}
