"""What an item that a retry does again goes on from: `keep.py` for the rows folded into one item."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from automation.engine.planned import ForEach, Group, PlannedBody, PlannedStep, Try, While
from automation.engine.results import StepResult, id_of
from automation.engine.status import StepStatus

GOOD = frozenset({StepStatus.SUCCEEDED, StepStatus.SKIPPED})
Rows = Mapping[str, StepResult]


@dataclass(frozen=True, slots=True)
class GoOn:
    """`rows` stay. `stale` are the ids of loops inside that begin anew, whatever is known of their items or passes."""

    rows: tuple[StepResult, ...] = ()
    stale: frozenset[str] = frozenset()


def go_on(body: PlannedBody, rows: Iterable[StepResult]) -> GoOn:
    """The rows of a failed or cancelled item that stay when it is done again, of groups and tries inside it too."""
    known = {id_of(row.path): row for row in rows}
    kept: list[StepResult] = []
    stale: set[str] = set()
    _keep(body, known, kept, stale)
    return GoOn(tuple(kept), frozenset(stale))


def _keep(body: PlannedBody, known: Rows, kept: list[StepResult], stale: set[str]) -> None:
    again: set[str] = set()
    for step in body.steps:  # in the plan's order: whatever a step needs is decided before it
        row = known.get(step.id)
        is_skipped = row is not None and row.status is StepStatus.SKIPPED
        lost = {need.step for need in step.needs} & again
        if any(is_skipped or _was_usable(body.by_id[name], known.get(name)) for name in lost):
            again.add(step.id)
            stale.update(_loops(step))
        elif row is not None and row.status in GOOD:
            kept.append(row)
        else:
            again.add(step.id)
            _keep_inside(step, known, kept, stale)


def _keep_inside(step: PlannedStep, known: Rows, kept: list[StepResult], stale: set[str]) -> None:
    """A step that is done again although nothing it used is: of a loop over items the batches know the rest."""
    container = step.container
    if isinstance(container, While):
        stale.add(step.id)
    elif isinstance(container, Group | Try):
        _keep(container.body, known, kept, stale)
    if isinstance(container, Try):  # handlers begin anew
        handlers = [body for body in (container.catch, container.ultimately) if body is not None]
        stale.update(name for body in handlers for inner in body.steps for name in _loops(inner))


def _was_usable(step: PlannedStep, row: StepResult | None) -> bool:
    """True when later steps may have used the old result."""
    if row is None:
        return False
    return row.status in GOOD or (row.status is StepStatus.FAILED and step.on_error == "continue")


def _loops(step: PlannedStep) -> Iterator[str]:
    """The ids of the outermost loops in a step, which may be it: paths of all inside begin with them."""
    container = step.container
    if isinstance(container, ForEach | While):
        yield step.id
    elif isinstance(container, Group | Try):
        bodies = (
            (container.body,)
            if isinstance(container, Group)
            else (container.body, container.catch, container.ultimately)
        )
        for body in bodies:
            for inner in body.steps if body is not None else ():
                yield from _loops(inner)
