"""Read a document into frozen values.

Reading never fails: what has the wrong shape is left out here and refused by the schema, so that every other
check still runs and a person sees all refusals at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from automation.engine.pointers import pointer

Json = Any
NOTHING: Mapping[str, Json] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Need:
    """One entry of `needs`: a step, or one outcome of it. `index` is its place in the list."""

    step: str
    port: str | None = None
    index: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return self.step if self.port is None else f"{self.step}.{self.port}"

    @classmethod
    def read(cls, text: str, *, index: int = 0) -> Need:
        """Read `step` or `step.port`."""
        step, _, port = text.partition(".")
        return cls(step, port or None, index)


@dataclass(frozen=True, slots=True)
class Body:
    """One list of steps: the document's own, or one of a container. Needs name steps of the same body."""

    pointer: str
    steps: tuple[StepDocument, ...]
    key: str = "steps"


@dataclass(frozen=True, slots=True)
class StepDocument:
    """One step as written. `fields` is the whole of it; the other values have the right type or their default."""

    pointer: str
    id: str
    fields: Mapping[str, Json]
    name: str
    uses: str | None
    config: Mapping[str, Json]
    needs: tuple[Need, ...]
    join: str | int
    on_error: str
    is_repeated: bool  # by its own `for_each` or one around it
    bodies: tuple[Body, ...] = ()

    def at(self, *parts: str | int) -> str:
        """The pointer of a place inside the step."""
        return pointer(parts, base=self.pointer)

    @property
    def label(self) -> str:
        """How messages name the step."""
        return f'Step "{self.id}"' if self.id else f"The step at {self.pointer}"


@dataclass(frozen=True, slots=True)
class Document:
    """A document as written."""

    fields: Mapping[str, Json]
    inputs: Mapping[str, Json]
    body: Body
    settings: Mapping[str, Json]

    @property
    def output(self) -> Json:
        """The template of the run's output; None when the document has none."""
        return self.fields.get("output")

    def bodies(self) -> Iterator[Body]:
        """Every list of steps, outer ones first."""
        pending = [self.body]
        while pending:
            body = pending.pop(0)
            yield body
            pending.extend(inner for step in body.steps for inner in step.bodies)

    def steps(self) -> Iterator[StepDocument]:
        """Every step, nested ones included, outer ones first."""
        for body in self.bodies():
            yield from body.steps


def parse_document(value: Json) -> Document:
    """Read a document, checked or not."""
    fields = _object(value)
    return Document(
        fields=fields,
        inputs=_object(fields.get("inputs")),
        body=_body("steps", fields.get("steps"), "/steps"),
        settings=_object(fields.get("settings")),
    )


def _body(key: str, value: Json, at: str, *, is_repeated: bool = False) -> Body:
    steps = value if isinstance(value, list) else []
    known = (
        _step(step, f"{at}/{index}", is_repeated=is_repeated)
        for index, step in enumerate(steps)
        if isinstance(step, dict)
    )
    return Body(at, tuple(known), key)


def _step(fields: Mapping[str, Json], at: str, *, is_repeated: bool) -> StepDocument:
    is_repeated = is_repeated or "for_each" in fields
    join = fields.get("join", "all")
    return StepDocument(
        pointer=at,
        id=_text(fields.get("id")) or "",
        fields=fields,
        name=_text(fields.get("name")) or "",
        uses=_text(fields.get("uses")),
        config=_object(fields.get("with")),
        needs=tuple(_needs(fields.get("needs"))),
        join=join if join == "any" or _is_count(join) else "all",
        on_error="continue" if fields.get("on_error") == "continue" else "fail",
        is_repeated=is_repeated,
        bodies=tuple(_bodies(fields, at, is_repeated=is_repeated)),
    )


def _needs(value: Json) -> Iterator[Need]:
    for index, need in enumerate(value if isinstance(value, list) else ()):
        if isinstance(need, str) and need.count(".") <= 1:
            yield Need.read(need, index=index)


def _bodies(fields: Mapping[str, Json], at: str, *, is_repeated: bool) -> Iterator[Body]:
    if "steps" in fields:
        yield _body("steps", fields["steps"], f"{at}/steps", is_repeated=is_repeated)
    attempt = _object(fields.get("try"))
    for key in ("catch", "finally"):
        if key in attempt:
            yield _body(key, attempt[key], f"{at}/try/{key}", is_repeated=is_repeated)


def _is_count(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _object(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else NOTHING


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None
