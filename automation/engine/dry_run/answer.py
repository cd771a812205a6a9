"""What a step would be answered: computed, read, simulated, given as a sample, or made up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from automation.engine.attempt import Surroundings, attempt
from automation.engine.dry_run import report
from automation.engine.dry_run.prepare import Draft
from automation.engine.effects import effect_of
from automation.engine.kinds import Done, Effect, Kind, Outcome
from automation.engine.planned import PlannedStep
from automation.engine.sampling import sample_of

Json = Any
ANSWERED = (report.COMPUTED, report.PERFORMED, report.SAMPLE)  # anything else is made up


def answer_of(
    step: PlannedStep, draft: Draft, number: int, around: Surroundings, *, performs_reads: bool
) -> tuple[Outcome, str]:
    """The outcome of a step that calls nobody else, and how it came about. Writes are never performed.

    Neither is a read that would send secrets: they leave only in a run.
    """
    sends_secrets, step = step.sealed is not None, replace(step, sealed=None, masks=())
    kind, prepared = step.kind, draft.prepared(step)
    effect = effect_of(kind, prepared.config)
    if not draft.is_certain:
        outcome = attempt(_simulating(step), prepared, number, around) if kind.simulate is not None else None
        return outcome if isinstance(outcome, Done) else assumed(kind, draft.config), report.ASSUMED
    if effect is Effect.READ and performs_reads and not sends_secrets:
        return attempt(step, prepared, number, around), report.PERFORMED
    if kind.simulate is not None:
        return attempt(_simulating(step), prepared, number, around), report.SIMULATED
    if effect is Effect.PURE:
        return attempt(step, prepared, number, around), report.COMPUTED
    return Done(sample_of(kind.output_schema), port=first_port(kind, draft.config)), report.SCHEMA


def assumed(kind: Kind, config: Mapping[str, Json]) -> Done:
    """An answer that is as good as any: at the first port, and nothing where something would be computed."""
    output = None if kind.effect is Effect.PURE else sample_of(kind.output_schema)
    return Done(output, port=first_port(kind, config))


def first_port(kind: Kind, config: Mapping[str, Json]) -> str | None:
    """The first outcome the step may take; None when it has only one."""
    try:
        return next((port for port in kind.ports(config) if port), None)
    except (LookupError, TypeError, ValueError, AttributeError):
        return None


def _simulating(step: PlannedStep) -> PlannedStep:
    """The step with what its kind simulates in the place of what it does."""
    assert step.kind.simulate is not None  # noqa: S101 - asked before
    return replace(step, kind=replace(step.kind, run=step.kind.simulate, effect_of=None, effect=Effect.PURE))
