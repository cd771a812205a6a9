"""Every action of a connector is a kind of step: the declaration carried over, the run handed to the runner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from automation.engine.kinds import (
    Call,
    Done,
    Effect,
    ErrorClass,
    Example,
    Fail,
    Idempotency,
    Kind,
    LogLine,
    Outcome,
    StepError,
)
from automation.engine.sampling import sample_of
from integrations import contract
from integrations.registry import all_actions, connector_of
from integrations.runner import run_action

Config = Mapping[str, Any]


def connector_kinds() -> dict[str, Kind]:
    """The kinds of all actions, by `<connector>.<action>`."""
    return {name: connector_kind(name, action, connector_of(name)) for name, action in all_actions().items()}


def connector_kind(name: str, action: contract.Action, connector: contract.Connector) -> Kind:
    """One action as a kind. Its examples need the service, so they carry no expected outcome."""
    return Kind(
        key=name,
        title=action.title,
        description=action.description,
        group=connector.title,
        icon=connector.icon,
        effect=Effect(action.effect.value),
        idempotency=Idempotency(action.idempotency.value),
        config_schema=action.config_schema,
        output_schema=action.output_schema,
        run=lambda call: _run(action, call),
        simulate=lambda call: _simulate(action, call),
        examples=tuple(Example(example.title, example.config) for example in action.examples),
        effect_of=lambda config: Effect(action.effect_for(config).value),
        idempotency_of=lambda config: Idempotency(action.idempotency_for(config).value),
        is_deterministic=False,  # a service may answer differently each time
        default_timeout_seconds=action.default_timeout_seconds,
    )


def _run(action: contract.Action, call: Call) -> Outcome:
    return _outcome(
        run_action(
            action,
            call.config,
            path=call.path,
            attempt=call.attempt,
            idempotency_key=call.idempotency_key,
            remaining_seconds=call.remaining_seconds,
            is_cancelled=call.is_cancelled,
            bounds=call.hosts,
            mask=call.mask,
        )
    )


def _simulate(action: contract.Action, call: Call) -> Outcome:
    if action.simulate is None:
        line = LogLine("info", f"{action.title} has an effect and was not run: this is a dry run.")
        return Done(sample_of(action.output_schema), logs=(line,))
    return _outcome(action.simulate(call.config))


def _outcome(outcome: contract.Outcome) -> Outcome:
    logs = tuple(LogLine(line.level, line.message, line.fields) for line in outcome.logs)
    if isinstance(outcome, contract.Result):
        return Done(outcome.output, logs=logs)
    error = StepError(
        type=outcome.type,
        message=outcome.message,
        error_class=ErrorClass(outcome.error_class),
        retry_after_seconds=outcome.retry_after_seconds,
        details=outcome.details,
        is_outcome_unknown=outcome.is_outcome_unknown,
    )
    return Fail(error, logs)
