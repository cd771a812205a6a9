"""What a plan is made of: bodies of steps, and the containers that repeat, guard or group a body. All immutable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from automation.engine.checker import Checker
from automation.engine.document.parse import Need
from automation.engine.expressions import Template, Tree
from automation.engine.inputs import Inputs
from automation.engine.kinds import Kind
from automation.engine.retry import RetryPolicy
from automation.engine.secrets import Sealed

Json = Any


@dataclass(frozen=True, slots=True)
class Group:
    """Nested steps that run once."""

    body: PlannedBody


@dataclass(frozen=True, slots=True)
class ForEach:
    """A body that runs once for every item. `condition` is an `if` that is asked per item.

    `is_single`: the body is the step itself, so paths are `send[17]`.
    `batch` results share one row. `on_item_error` is "fail" or "continue".
    """

    body: PlannedBody
    items: Tree
    label: Template | None
    condition: Template | None
    concurrency: int
    on_item_error: str
    batch: int
    is_single: bool


@dataclass(frozen=True, slots=True)
class While:
    """A body that runs again as long as `when` holds, at most `max_iterations` times, `every_seconds` apart."""

    body: PlannedBody
    when: Template | bool
    max_iterations: int
    every_seconds: float


@dataclass(frozen=True, slots=True)
class Try:
    """A body, what follows its failure, and what follows in any case."""

    body: PlannedBody
    catch: PlannedBody | None
    ultimately: PlannedBody | None


Container = Group | ForEach | While | Try


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One step ready to run.

    `config` is the compiled `with`; the keys that the kind evaluates itself stand in `lazy` as written. `fixed` is
    the whole `with` when nothing in it has to be evaluated; `checker` judges what was. `wanted` is how many of
    `needs` must be taken. `path` names the step in the run's rows; outside loops it is the id. A step with a
    `container` holds a body instead of doing something itself, for `timeout_seconds` at most. `sealed` is the `with` of
    a step that sends secrets; `masks` names those that must not come back in what a service answers.
    """

    id: str
    path: str
    name: str
    index: int
    kind: Kind
    config: Tree
    lazy: Mapping[str, Json]
    fixed: Mapping[str, Json] | None
    checker: Checker
    condition: Template | bool | None
    needs: tuple[Need, ...]
    join: str | int
    wanted: int
    retry: RetryPolicy
    timeout_seconds: float
    on_error: str
    on_unknown: str = "fail"
    is_limited: bool = False  # the document sets its time limit: then that bounds its wait too
    container: Container | None = None
    sealed: Sealed | None = None
    masks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedBody:
    """One list of steps, ordered so that every step comes after all it needs.

    `dependents` names, for each step, the places in `steps` of those that need it. `output` is what one pass answers.
    """

    steps: tuple[PlannedStep, ...]
    by_id: Mapping[str, PlannedStep]
    dependents: Mapping[str, tuple[int, ...]]
    output: Tree | None


@dataclass(frozen=True, slots=True)
class Concurrency:
    """How many runs with one key may be under way. `when_full` is queue, skip, cancel_old or fail."""

    limit: int
    key: Template | None = None
    when_full: str = "queue"
    queue_limit: int | None = None


@dataclass(frozen=True, slots=True)
class Debounce:
    """Starts with one key within `wait_seconds` of each other become one run, by `max_wait_seconds` at the latest."""

    wait_seconds: float
    key: Template | None = None
    max_wait_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class PlanSettings:
    """Settings of every run. `checkpoint` is "effects" (results become durable with the next effect) or "step"."""

    timeout_seconds: float | None = None
    checkpoint: str = "effects"
    concurrency: Concurrency | None = None
    debounce: Debounce | None = None
    priority: int = 5
    queue: str | None = None
    on_failure: str | None = None


@dataclass(frozen=True, slots=True)
class Plan(PlannedBody):
    """A workflow ready to run. `vars` are the variables that it reads."""

    settings: PlanSettings
    inputs: Inputs
    vars: tuple[str, ...] = ()
