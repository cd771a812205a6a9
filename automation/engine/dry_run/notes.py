"""Notes: what one workflow of a dry run adds to the report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from automation.engine.calls import CALL_KIND
from automation.engine.dry_run.prepare import Draft
from automation.engine.dry_run.report import FAILED, Allowance, Decision, Effect, Report, Unresolved
from automation.engine.dry_run.target import target_of
from automation.engine.effects import effect_of, idempotency_of
from automation.engine.expressions import Template, explain
from automation.engine.kinds import Done, Fail, Outcome, StepError
from automation.engine.kinds import Effect as Acts
from automation.engine.planned import PlannedStep
from automation.engine.prepare import Prepared, Skipped

Json = Any
MOST_LINES = 500


class Notes:
    """Writes with the paths of a called workflow behind that of its caller: `billing/charge`."""

    def __init__(self, report: Report, allowance: Allowance, effects: list[Effect], prefix: str) -> None:
        self._report = report
        self._allowance = allowance
        self._effects = effects
        self.prefix = prefix

    def effect(self, step: PlannedStep, draft: Draft, prepared: Prepared) -> Effect | None:
        """Begin the entry of an effect, before anybody is asked; None when the step has none."""
        acts = effect_of(step.kind, prepared.config)
        if acts is Acts.PURE:
            return None
        entry = Effect(
            path=self._path(step),
            step=step.id,
            name=step.name,
            kind=step.kind.key,
            title=step.kind.title,
            effect=acts.value,
            idempotency=idempotency_of(step.kind, prepared.config).value,
            target=target_of(draft.config),
            request=self._allowance.shown(draft.config),
            unresolved=draft.unresolved,
        )
        self._effects.append(entry)
        return entry

    def answer(self, entry: Effect | None, outcome: Outcome, source: str) -> None:
        """Complete the entry."""
        if entry is None:
            return
        entry.answer_source = FAILED if isinstance(outcome, Fail) else source
        entry.answer = self._allowance.shown(getattr(outcome, "output", None))
        if isinstance(outcome, Fail):
            entry.error = {"type": outcome.error.type, "message": outcome.error.message}

    def asked_if(self, step: PlannedStep, prepared: Prepared | Skipped | Fail, scope: Mapping[str, Json]) -> None:
        """What the step's `if` came to."""
        if isinstance(prepared, Skipped):
            self._decide(Decision(self._path(step), "if", "skipped", self._allowance.shown(prepared.reason)))
        elif isinstance(step.condition, Template) and isinstance(prepared, Prepared):
            reason = {"expression": step.condition.source, "operands": explain(step.condition, scope)}
            self._decide(Decision(self._path(step), "if", "run", self._allowance.shown(reason)))

    def took_port(self, step: PlannedStep, outcome: Outcome, *, is_assumed: bool) -> None:
        """Which way a branching step took."""
        if isinstance(outcome, Done) and outcome.port is not None:
            reason = self._allowance.shown(outcome.reason)
            self._decide(Decision(self._path(step), step.kind.key, outcome.port, reason, is_assumed))

    def missing(self, step: PlannedStep, error: StepError, *, is_assumed: bool) -> None:
        """A step that could not be done for want of a value."""
        code = "unresolved_expression" if error.type == "expression" else error.type
        expression, pointer = error.details.get("expression"), error.details.get("pointer")
        self.unresolved(Unresolved(code, self._path(step), error.message, expression, pointer or None, is_assumed))

    def lacks_secrets(self, step: PlannedStep, known: frozenset[str]) -> None:
        """The secrets a step would send that are not there."""
        for name in step.sealed.names if step.sealed else ():
            if name not in known:
                said = f"This workspace has no secret {name!r}. Create it, or correct the name."
                self.unresolved(Unresolved("unknown_secret", self._path(step), said))

    def unresolved(self, *found: Unresolved) -> None:
        """Something that is missing."""
        self._report.unresolved += found

    def lines(self, step: PlannedStep, outcome: Outcome) -> None:
        """What the step would log."""
        for line in getattr(outcome, "logs", ()):
            if len(self._report.logs) < MOST_LINES:
                said = {"path": self._path(step), "level": line.level, "message": line.message}
                self._report.logs.append(said)

    def failure_workflow(self, name: str) -> None:
        """A run that fails starts another one: told, not followed."""
        self._effects.append(
            Effect(
                path=f"{self.prefix}on_failure",
                step="on_failure",
                name="",
                kind=CALL_KIND.key,
                title=CALL_KIND.title,
                effect=CALL_KIND.effect.value,
                idempotency=CALL_KIND.idempotency.value,
                target=name,
                request={"workflow": name},
            )
        )

    def _decide(self, decision: Decision) -> None:
        self._report.decisions.append(decision)

    def _path(self, step: PlannedStep) -> str:
        return f"{self.prefix}{step.path}"
