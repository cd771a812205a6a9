"""The flattened graph: all steps of a document, nested ones included, and who waits for whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import takewhile

from automation.engine.document.parse import Body, Document, Need, StepDocument

PHASES = ("steps", "catch", "finally")  # the lists of one container, in the order they begin
# A step, the lists it stands in and the containers around it, the outermost first.
Found = tuple[StepDocument, tuple[Body, ...], tuple[StepDocument, ...]]


@dataclass(frozen=True, slots=True)
class FlatStep:
    """One step in the flattened graph.

    `enclosing` are the containers around it, the nearest last; `bodies[n]` is the list inside n of them that holds
    the step or what is around it.
    """

    step: StepDocument
    bodies: tuple[Body, ...]
    enclosing: tuple[StepDocument, ...]
    waits_for: Mapping[str, Need | None]  # ids; None when a container makes it wait, not a need

    @property
    def body(self) -> Body:
        """The list the step stands in."""
        return self.bodies[-1]

    def shared(self, other: FlatStep) -> int:
        """How many containers are around both steps."""
        pairs = zip(self.enclosing, other.enclosing, strict=False)
        return sum(1 for _ in takewhile(lambda pair: pair[0] is pair[1], pairs))


@dataclass(frozen=True, slots=True)
class Flat:
    """Steps by id, in document order. Of steps with the same id the first one counts."""

    steps: Mapping[str, FlatStep] = field(default_factory=dict)

    def ids(self) -> Iterable[str]:
        """All ids in document order."""
        return self.steps.keys()

    def graph(self) -> dict[str, list[str]]:
        """Whom each step waits for, without itself."""
        return {name: [other for other in there.waits_for if other != name] for name, there in self.steps.items()}


def flatten(document: Document) -> Flat:
    """Lay all bodies side by side.

    A nested step waits for whatever its containers wait for; a container is finished when its steps are.
    """
    known: dict[str, Found] = {}
    _collect((document.body,), (), known)
    return Flat({name: FlatStep(*place, _waits_for(*place, known.keys())) for name, place in known.items()})


def _collect(bodies: tuple[Body, ...], enclosing: tuple[StepDocument, ...], known: dict[str, Found]) -> None:
    for step in bodies[-1].steps:
        if step.id:
            known.setdefault(step.id, (step, bodies, enclosing))
        for inner in step.bodies:
            _collect((*bodies, inner), (*enclosing, step), known)


def _waits_for(
    step: StepDocument, _bodies: tuple[Body, ...], enclosing: tuple[StepDocument, ...], known: Iterable[str]
) -> dict[str, Need | None]:
    names = set(known)
    waits: dict[str, Need | None] = {need.step: need for need in step.needs if need.step in names}
    for container in enclosing:
        waits.update({need.step: None for need in container.needs if need.step in names and need.step not in waits})
    for body in step.bodies:
        waits.update({inner.id: None for inner in body.steps if inner.id in names and inner.id not in waits})
    return waits
