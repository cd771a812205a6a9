"""attempt: run one prepared step once. The only place that calls a kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from automation.engine.commands import ClaimLost, Command, CommandInterrupted, CommandRefused, UseSecrets
from automation.engine.effects import effect_of
from automation.engine.expressions import Budget, ExpressionError, Tree, compile_template, compile_tree, explain
from automation.engine.kinds import Call, Done, ErrorClass, Fail, Kind, LogLine, Outcome, StepError, no_state
from automation.engine.planned import PlannedStep
from automation.engine.pointers import pointer
from automation.engine.prepare import Prepared, expression_failure
from automation.engine.secrets import Opened, masked_outcome
from automation.engine.violations import Violation
from automation.engine.wording import quoted

Json = Any
LAZY_OPERATIONS = 1_000_000  # for all items of one call together; about a second of work


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a driver lends to an attempt: scope, key, clock, time left, whether to stop, the way to our own database."""

    scope: Mapping[str, Json]
    idempotency_key: str
    now: datetime
    remaining_seconds: Callable[[], float]
    is_cancelled: Callable[[], bool]
    is_dry: bool = False
    perform: Callable[[Command], Json] = no_state


def attempt(step: PlannedStep, prepared: Prepared, number: int, around: Surroundings) -> Outcome:
    """Run the step's kind once; a dry run simulates whatever has an effect.

    Every failure comes back as a value: a kind that raises is a defect and fails with class INTERNAL. Only these are
    raised: ClaimLost, because no result counts any more, and CommandInterrupted, because the attempt is made elsewhere.
    """
    call = _call(step, prepared, number, around)
    try:
        if step.masks:
            return _with_secrets(step, call, around)
        return _act(step.kind, call, is_dry=around.is_dry)
    except ExpressionError as error:
        return expression_failure(error)
    except CommandRefused as refused:
        error_class = ErrorClass.TRANSIENT if refused.is_temporary else ErrorClass.USER
        return Fail(StepError(refused.code, str(refused), error_class, details=refused.details))
    except (ClaimLost, CommandInterrupted):
        raise
    except Exception as error:  # noqa: BLE001 - a kind's defect ends its step, never the worker
        return _defect(step.kind, error)


def _with_secrets(step: PlannedStep, call: Call, around: Surroundings) -> Outcome:
    """Open what the step sends, for this one call, and mask it in whatever comes of it."""
    names = step.sealed.names if step.sealed else ()
    opened: Opened = around.perform(UseSecrets(names, tuple(name for name in step.masks if name not in names)))
    if step.sealed is not None:
        config = step.sealed.open(around.scope, opened.values)
        if not step.checker.is_valid(config):
            return _misfit(step.checker.violations(config))
        call = replace(call, config=config, hosts=opened.hosts)
    call = replace(call, mask=opened.mask)
    try:
        outcome = _act(step.kind, call, is_dry=around.is_dry)
    except (ClaimLost, CommandInterrupted, CommandRefused):
        raise
    except Exception as error:  # noqa: BLE001 - as in `attempt`, but what it says is masked too
        outcome = _defect(step.kind, error)
    return masked_outcome(outcome, opened.mask)


def _misfit(violations: tuple[Violation, ...]) -> Fail:
    """The `with` does not fit once its secrets stand in it. What does not fit may be the secret, so it is not shown."""
    places = [pointer(violation.path) for violation in violations]
    said = f"With its secrets filled in, {quoted(places[0])} is not what the step takes. Look at the secrets it reads."
    return Fail(StepError("config", said, ErrorClass.USER, details={"pointers": places}))


def _act(kind: Kind, call: Call, *, is_dry: bool) -> Outcome:
    if not is_dry or not effect_of(kind, call.config).is_write:
        return kind.run(call)
    if kind.simulate is not None:
        return kind.simulate(call)
    return Done(None, logs=(LogLine("info", f"{kind.key} has an effect and was not run: this is a dry run."),))


def _call(step: PlannedStep, prepared: Prepared, number: int, around: Surroundings) -> Call:
    lazy = Lazy(around.scope)
    return Call(
        config=prepared.config,
        path=step.path,
        attempt=number,
        idempotency_key=around.idempotency_key,
        now=around.now,
        render=lazy.render,
        remaining_seconds=around.remaining_seconds,
        is_cancelled=around.is_cancelled,
        explain=lazy.explain,
        perform=around.perform,
    )


class Lazy:
    """Evaluates the lazy templates of one call, all on one budget. A template is compiled once per call."""

    __slots__ = ("_budget", "_scope", "_trees")

    def __init__(self, scope: Mapping[str, Json]) -> None:
        self._scope = scope
        self._budget = Budget(operations=LAZY_OPERATIONS)
        self._trees: dict[int, tuple[Json, Tree]] = {}

    def render(self, value: Json, extra: Mapping[str, Json]) -> Json:
        """The value with its templates evaluated; `extra` roots (`item`, `index`) win over the run's."""
        known = self._trees.get(id(value))
        if known is None or known[0] is not value:
            known = self._trees[id(value)] = (value, compile_tree(value))
        return known[1].render({**self._scope, **extra}, self._budget)

    def explain(self, value: Json, extra: Mapping[str, Json]) -> Json:
        """The operands that decided a template."""
        return explain(compile_template(value), {**self._scope, **extra}) if isinstance(value, str) else []


def _defect(kind: Kind, error: Exception) -> Fail:
    said = f"The kind {kind.key!r} broke with {type(error).__name__}: a defect of the kind, not of the workflow."
    details = {"exception": type(error).__name__, "at": _raised_at(error)}  # its text may hold values, so it stays out
    return Fail(StepError("kind_error", said, ErrorClass.INTERNAL, details=details))


def _raised_at(error: Exception) -> str:
    """The module and line where it was raised."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    return f"{frame.tb_frame.f_globals.get('__name__', '?')}:{frame.tb_lineno}" if frame is not None else "?"
