"""What changed between two versions of a workflow: steps by their ids, everything else by its place.

A renamed step is recognised, and what follows from its new name (its mentions elsewhere) is no change of its own.
Canvas positions are no part of it (`documents.NOT_VERSIONED`).
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from automation.engine.document.parse import Body, StepDocument, parse_document
from automation.services import documents
from automation.services.json_diff import Change, changes
from automation.services.step_renames import Names, own_fields, renames, with_names
from automation.services.workflow_drafts import Content

Json = Any


@dataclass(frozen=True, slots=True)
class Placed:
    """A step and where it stands: the id of the step around it (`""` outside), and which of its lists."""

    step: StepDocument
    holder: str
    key: str


@dataclass(frozen=True, slots=True)
class Moved:
    """A step that stands in another list of steps, or elsewhere among the steps that stayed in its list."""

    id: str
    before: str  # pointers
    after: str


@dataclass(frozen=True, slots=True)
class ChangedStep:
    """A step that both sides have, with what is different in it. `was` is its former id when it was renamed."""

    id: str
    pointer: str
    changes: tuple[Change, ...]
    was: str | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """Everything that differs. Pointers lead into the later side; of what is gone, into the earlier one."""

    fields: tuple[Change, ...]  # name, description, tags, meta_data, and the document without its steps
    added: tuple[StepDocument, ...]
    removed: tuple[StepDocument, ...]
    renamed: tuple[ChangedStep, ...]
    changed: tuple[ChangedStep, ...]
    moved: tuple[Moved, ...]

    @property
    def is_empty(self) -> bool:
        """True when both sides mean the same."""
        return not (self.fields or self.added or self.removed or self.renamed or self.changed or self.moved)


def difference(before: Content, after: Content) -> Difference:
    """What must change to make `after` of `before`."""
    old, new = _steps(before.definition), _steps(after.definition)
    gone = [one.step for id_, one in old.items() if id_ not in new]
    names = renames(gone, [one.step for id_, one in new.items() if id_ not in old])
    kept = {names.get(id_, id_): one for id_, one in old.items() if names.get(id_, id_) in new}
    stayed = [_compared(one.step, new[id_].step, names) for id_, one in kept.items()]
    return Difference(
        fields=tuple(changes(with_names(_fields(before), names), _fields(after))),
        added=tuple(one.step for id_, one in new.items() if id_ not in kept),
        removed=tuple(step for step in gone if step.id not in names),
        renamed=tuple(step for step in stayed if step.was),
        changed=tuple(step for step in stayed if step.changes and not step.was),
        moved=tuple(_moves(kept, new, names)),
    )


def _steps(definition: Mapping[str, Json]) -> dict[str, Placed]:
    """Every step by its id, outer ones first."""
    found: dict[str, Placed] = {}
    pending: list[tuple[str, Body]] = [("", parse_document(definition).body)]
    while pending:
        holder, body = pending.pop(0)
        found.update({step.id: Placed(step, holder, body.key) for step in body.steps})
        pending.extend((step.id, inner) for step in body.steps for inner in step.bodies)
    return found


def _fields(content: Content) -> dict[str, Json]:
    """Everything of a version but its steps."""
    document = {key: value for key, value in documents.meaning(content.definition).items() if key != "steps"}
    return {**content.values(), "definition": document}


def _compared(was: StepDocument, now: StepDocument, names: Names) -> ChangedStep:
    at = f"/definition{now.pointer}"
    found = tuple(changes(with_names(own_fields(was), names), own_fields(now), base=at))
    return ChangedStep(now.id, at, found, was=was.id if was.id != now.id else None)


def _moves(kept: Mapping[str, Placed], new: Mapping[str, Placed], names: Names) -> Iterator[Moved]:
    """Steps in another list, and within a list the fewest whose move explains the new order."""
    order = {id_: place for place, id_ in enumerate(new)}
    stayed: dict[tuple[str, str], list[str]] = defaultdict(list)
    for id_, was in kept.items():
        home = (names.get(was.holder, was.holder), was.key)
        if home == (new[id_].holder, new[id_].key):
            stayed[home].append(id_)
        else:
            yield _moved(id_, was, new)
    for ids in stayed.values():
        standing = set(_longest_rising([order[id_] for id_ in ids]))
        yield from (_moved(id_, kept[id_], new) for id_ in ids if order[id_] not in standing)


def _moved(id_: str, was: Placed, new: Mapping[str, Placed]) -> Moved:
    return Moved(id_, f"/definition{was.step.pointer}", f"/definition{new[id_].step.pointer}")


def _longest_rising(numbers: Sequence[int]) -> list[int]:
    """A longest rising part of a sequence: Fredman's patience sorting, n log n, with the way back."""
    ends: list[int] = []  # of the best run of each length: the index of its last number
    before: list[int] = []  # index of the number before it in its run
    for index, number in enumerate(numbers):
        place = bisect_left(ends, number, key=numbers.__getitem__)
        before.append(ends[place - 1] if place else -1)
        ends[place : place + 1] = [index]
    run, at = [], ends[-1] if ends else -1
    while at >= 0:
        run.append(numbers[at])
        at = before[at]
    return run
