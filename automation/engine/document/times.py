"""Durations that a schema alone cannot judge."""

from __future__ import annotations

from collections.abc import Iterator

from automation.engine.document.limits import Limits
from automation.engine.document.parse import Document, StepDocument
from automation.engine.durations import DurationError, duration_text, parse_duration
from automation.engine.problem import Problem


def check_times(document: Document, limits: Limits) -> Iterator[Problem]:
    """Time limits of zero or beyond the ceiling, delays that grow downwards."""
    run_limit = document.settings.get("timeout")
    yield from _between('"settings.timeout"', run_limit, limits.timeout_seconds, "/settings/timeout")
    yield from _check_debounce(document, limits)
    for step in document.steps():
        limit, every = step.fields.get("timeout"), step.part("while").get("every")
        yield from _between(f'{step.label}: "timeout"', limit, limits.timeout_seconds, step.at("timeout"))
        yield from _between(f'{step.label}: "while.every"', every, limits.timeout_seconds, step.at("while", "every"))
        yield from _check_retry(step, limits)


def seconds_of(value: object) -> float | None:
    """Seconds of a duration, None for what is none (the schema says so)."""
    try:
        return parse_duration(value) if isinstance(value, str) else None
    except DurationError:
        return None


def _between(what: str, value: object, ceiling: float, at: str) -> Iterator[Problem]:
    seconds = seconds_of(value)
    if seconds is None:
        return
    if seconds == 0:
        yield Problem("invalid_value", f"{what} must be more than 0, got {value}.", at)
    elif seconds > ceiling:
        yield Problem("invalid_value", f"{what} must be at most {duration_text(ceiling)}, got {value}.", at)


def _check_debounce(document: Document, limits: Limits) -> Iterator[Problem]:
    rule = document.settings.get("debounce")
    if not isinstance(rule, dict):
        return
    for key in ("wait", "max_wait"):
        what, at = f'"settings.debounce.{key}"', f"/settings/debounce/{key}"
        yield from _between(what, rule.get(key), limits.debounce_seconds, at)
    quiet, most = seconds_of(rule.get("wait")), seconds_of(rule.get("max_wait"))
    if quiet is not None and most is not None and most < quiet:
        message = f'"settings.debounce.max_wait" must be at least "wait" ({rule["wait"]}), got {rule["max_wait"]}.'
        yield Problem("invalid_value", message, "/settings/debounce/max_wait")


def _check_retry(step: StepDocument, limits: Limits) -> Iterator[Problem]:
    retry = step.fields.get("retry")
    if not isinstance(retry, dict):
        return
    for key in ("initial", "max"):
        what = f'{step.label}: "retry.{key}"'
        yield from _between(what, retry.get(key), limits.retry_delay_seconds, step.at("retry", key))
    first, most = seconds_of(retry.get("initial", "1s")), seconds_of(retry.get("max", "1m"))
    if "max" in retry and first is not None and most is not None and first > most:
        initial = retry.get("initial", "1s")
        message = f'{step.label}: "retry.max" must be at least "retry.initial" ({initial}), got {retry["max"]}.'
        yield Problem("invalid_value", message, step.at("retry", "max"))
