"""What differs between two JSON values: a change for each place, named by a JSON pointer (RFC 6901)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from automation.engine.pointers import pointer
from automation.services.documents import canonical

Json = Any


class Absent:
    """The value of a place that one side does not have; None is JSON's null."""


ABSENT = Absent()


@dataclass(frozen=True, slots=True)
class Change:
    """One place with what stands there on either side."""

    pointer: str
    before: Json = ABSENT
    after: Json = ABSENT

    def shown(self) -> dict[str, Json]:
        """`{"pointer", "before", "after"}`; a side that has nothing there is left out."""
        sides = {"before": self.before, "after": self.after}
        return {"pointer": self.pointer, **{name: value for name, value in sides.items() if value is not ABSENT}}


def changes(before: Json, after: Json, *, base: str = "") -> Iterator[Change]:
    """Every difference, at the deepest place that shows it. Lists of plain values are one place."""
    if canonical(before) == canonical(after):
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _of_objects(before, after, base)
    elif _is_structured(before) and _is_structured(after):
        yield from _of_lists(before, after, base)
    else:
        yield Change(base, before, after)


def _of_objects(before: Mapping[str, Json], after: Mapping[str, Json], base: str) -> Iterator[Change]:
    for key in dict.fromkeys([*before, *after]):
        at = pointer([key], base=base)
        if key in before and key in after:
            yield from changes(before[key], after[key], base=at)
        else:
            yield Change(at, before.get(key, ABSENT), after.get(key, ABSENT))


def _of_lists(before: Sequence[Json], after: Sequence[Json], base: str) -> Iterator[Change]:
    """Item by item between a common begin and a common end, so that one inserted item is one change."""
    first = _alike(before, after)
    last = _alike(before[first:][::-1], after[first:][::-1])
    old, new = before[first : len(before) - last], after[first : len(after) - last]
    for index in range(max(len(old), len(new))):
        at = pointer([first + index], base=base)
        if index < len(old) and index < len(new):
            yield from changes(old[index], new[index], base=at)
        else:
            sides = [side[index] if index < len(side) else ABSENT for side in (old, new)]
            yield Change(at, *sides)


def _alike(one: Sequence[Json], other: Sequence[Json]) -> int:
    """How many items at the begin are equal."""
    for index, (left, right) in enumerate(zip(one, other, strict=False)):
        if canonical(left) != canonical(right):
            return index
    return min(len(one), len(other))


def _is_structured(value: Json) -> bool:
    return isinstance(value, list) and any(isinstance(item, dict | list) for item in value)
