"""Scenario: what a dry run starts from."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from automation.engine.commands import CommandRefused
from automation.engine.dry_run.report import DryLimits
from automation.engine.plan import Plan
from automation.engine.secrets import Mask
from automation.engine.simulate import START
from automation.engine.stand_in import no_files

Json = Any


@dataclass(frozen=True, slots=True)
class Callee:
    """A workflow that a call means. `checked` completes and checks its inputs; it raises CommandRefused."""

    id: str
    name: str
    definition: Mapping[str, Json]
    plan: Plan
    checked: Callable[[Mapping[str, Json]], Json] = dict


def nobody(workflow: str, _version: str) -> Callee:
    """What `find` is where there are no other workflows."""
    raise CommandRefused("unknown_workflow", f"This workspace has no workflow {workflow!r}. Correct the name.")


@dataclass(frozen=True, slots=True)
class Scenario:
    """The givens of a dry run.

    `samples` are answers by step id, taken instead of any other. `performs_reads`: reads are really made, else
    simulated like writes; those that send secrets are not. `secrets` are the names of those there are,
    `mask` takes their values out of what was read. `find` looks up called workflows by id or name and version; `id` is
    the workflow's own. `files` answers steps that read files.
    `seconds` is a monotonic clock.
    """

    inputs: Json = field(default_factory=dict)
    trigger: Json = None
    variables: Mapping[str, Json] = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()
    mask: Mask = lambda value: value
    samples: Mapping[str, Json] = field(default_factory=dict)
    performs_reads: bool = False
    id: str = ""
    run: Mapping[str, Json] = field(
        default_factory=lambda: {"id": "dry-run", "number": 0, "attempt": 1, "mode": "dry_run"}
    )
    now: datetime = START
    find: Callable[[str, str], Callee] = nobody
    files: Callable[[Any], Json] = no_files
    limits: DryLimits = field(default_factory=DryLimits)
    seconds: Callable[[], float] = time.monotonic
