"""Host: what a turn needs of its process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from django.conf import settings

from automation.engine.course import DEFAULT_LIMITS, Limits
from automation.runtime.step_threads import StepThreads
from automation.runtime.writer import Writer
from automation.store.commands import Commands

MOST_PARALLEL = 8


def run_limits() -> Limits:
    """The ceilings of a run, as the settings have them."""
    said = settings.BRAINOPS_LIMITS
    return Limits(items=said["loop_items"], run_bytes=said["run_bytes"])


def _nothing() -> None:
    """Nobody is to be told."""


@dataclass(frozen=True, slots=True)
class Host:
    """What a turn needs of its process.

    `most_parallel` attempts of one run go on beside each other, on `threads` that all runs share. `on_parked` is told
    in how many seconds a run goes on, `on_ready` that one is ready again at once.
    """

    writer: Writer
    may_affect: Callable[[], bool] = lambda: True
    is_stopping: Callable[[], bool] = lambda: False
    on_parked: Callable[[float], None] = lambda _seconds: None
    on_ready: Callable[[], None] = _nothing
    commands: Commands = field(default_factory=Commands)
    threads: StepThreads = field(default_factory=lambda: StepThreads(MOST_PARALLEL))
    most_parallel: int = MOST_PARALLEL
    limits: Limits = DEFAULT_LIMITS
