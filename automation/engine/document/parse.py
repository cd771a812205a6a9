"""Read a document into frozen values.

Reading never fails: what has the wrong shape is left out here and refused by the schema, so that every other
check still runs and a person sees all refusals at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
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
class Surroundings:
    """What stands around a list of steps: how many containers, whether a loop, whether a `catch` or `finally`."""

    depth: int = 0
    is_in_loop: bool = False
    is_in_handler: bool = False


@dataclass(frozen=True, slots=True)
class Body:
    """One list of steps: the document's own, or one of a container. Needs name steps of the same body.

    `key` is "steps", "catch" or "finally": of the bodies of one `try` the later ones start when the earlier ended.
    """

    pointer: str
    steps: tuple[StepDocument, ...]
    key: str = "steps"
    around: Surroundings = Surroundings()


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
    is_repeated: bool  # by its own `for_each` or a loop around it
    around: Surroundings = Surroundings()
    bodies: tuple[Body, ...] = ()

    def at(self, *parts: str | int) -> str:
        """The pointer of a place inside the step."""
        return pointer(parts, base=self.pointer)

    @property
    def label(self) -> str:
        """How messages name the step."""
        return f'Step "{self.id}"' if self.id else f"The step at {self.pointer}"

    @property
    def is_container(self) -> bool:
        """True when it holds steps of its own."""
        return "steps" in self.fields

    def part(self, field: str) -> Mapping[str, Json]:
        """The object of one of its fields (`for_each`, `while`, `call`), an empty one when it has none."""
        return _object(self.fields.get(field))


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
        body=_body("steps", fields.get("steps"), "/steps", Surroundings()),
        settings=_object(fields.get("settings")),
    )


def _body(key: str, value: Json, at: str, around: Surroundings) -> Body:
    steps = value if isinstance(value, list) else []
    known = (_step(step, f"{at}/{index}", around) for index, step in enumerate(steps) if isinstance(step, dict))
    return Body(at, tuple(known), key, around)


def _step(fields: Mapping[str, Json], at: str, around: Surroundings) -> StepDocument:
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
        is_repeated=around.is_in_loop or "for_each" in fields,
        around=around,
        bodies=tuple(_bodies(fields, at, around)),
    )


def _needs(value: Json) -> Iterator[Need]:
    for index, need in enumerate(value if isinstance(value, list) else ()):
        if isinstance(need, str) and need.count(".") <= 1:
            yield Need.read(need, index=index)


def _bodies(fields: Mapping[str, Json], at: str, around: Surroundings) -> Iterator[Body]:
    is_in_loop = around.is_in_loop or "for_each" in fields or "while" in fields
    inside = replace(around, depth=around.depth + 1, is_in_loop=is_in_loop)
    if "steps" in fields:
        yield _body("steps", fields["steps"], f"{at}/steps", inside)
    attempt = _object(fields.get("try"))
    for key in ("catch", "finally"):
        if key in attempt:
            yield _body(key, attempt[key], f"{at}/try/{key}", replace(inside, is_in_handler=True))


def _is_count(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _object(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else NOTHING


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None
