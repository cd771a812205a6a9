"""Which results of a run its retry takes over: nothing that succeeded is done twice, nothing stale is trusted."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from automation.engine.document.parse import Body, Document, StepDocument
from automation.engine.results import StepResult
from automation.engine.status import StepStatus

UNSEEN = frozenset({"name", "description"})  # words for people: changing them changes no result
HELD = frozenset({"steps", "try"})  # what a container holds is compared step by step
BAD = frozenset({StepStatus.FAILED, StepStatus.UNKNOWN, StepStatus.CANCELLED})
GOOD = frozenset({StepStatus.SUCCEEDED, StepStatus.SKIPPED})
_ID = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_BATCH = re.compile(r"(?:.*\.)?[A-Za-z][A-Za-z0-9_]*\[[0-9]+-[0-9]+\]")
_ITEM = re.compile(r"([A-Za-z][A-Za-z0-9_]*)\[([0-9]+)\](?:\..*)?")
Results = Mapping[str, StepResult]


@dataclass(frozen=True, slots=True)
class KeptPaths:
    """The paths of the rows that a retry takes over.

    `final` rows stay as they are. `reopened` are batches of loops in which items are done again: those that failed
    or never ended, and those in `items_again`, each named by the path of its batch and its index.
    """

    final: frozenset[str] = frozenset()
    reopened: frozenset[str] = frozenset()
    items_again: frozenset[tuple[str, int]] = frozenset()

    @classmethod
    def union(cls, *parts: KeptPaths) -> KeptPaths:
        """All of them together."""
        return cls(
            frozenset().union(*(part.final for part in parts)),
            frozenset().union(*(part.reopened for part in parts)),
            frozenset().union(*(part.items_again for part in parts)),
        )


@dataclass(frozen=True, slots=True)
class Restart:
    """Where a retry begins: a step, or one item of a loop."""

    step: str
    item: int | None = None

    @classmethod
    def read(cls, text: str) -> Restart:
        """Read `step`, `loop[17]` or `loop[17].step`; of loops in loops the outermost item counts."""
        found = _ITEM.fullmatch(text)
        return cls(text) if found is None else cls(found[1], int(found[2]))


NONE = KeptPaths()


def kept_paths(old: Document, new: Document, results: Results, *, restart: str | None = None) -> KeptPaths:
    """The paths of the rows whose results stay.

    `old` is the document the results come from, `new` the one the retry runs, `results` all rows of the run by path.
    Without `restart` all that failed is done again; with it that step or item is (see Restart), and a failure that
    the document lets pass (`on_error: continue`) stays. A step that was changed is done again, and so is everything
    that may have used a result that is done again. Of a group or `try` that is done again the steps that succeeded
    stay, of a `for_each` the items that did; of handlers (`catch`, `finally`) and of a `while` nothing does. A step
    inside a loop restarts the whole loop: which of its many runs would be meant?
    """
    return _Keeper(results, None if restart is None else Restart.read(restart)).of_body(old.body, new.body)


def failed_steps(document: Document, results: Results) -> frozenset[str]:
    """The ids of the document's own steps that a retry from what failed begins with."""
    keeper = _Keeper(results, None)
    return frozenset(step.id for step in document.body.steps if keeper.has_failed(step))


class _Keeper:
    """Goes through two documents side by side, list of steps by list of steps."""

    def __init__(self, results: Results, restart: Restart | None) -> None:
        self._results = results
        self._restart = restart
        self._rows: dict[str, list[str]] = defaultdict(list)  # all paths, by the id they begin with
        for path in results:
            first = _ID.match(path)
            self._rows[first[0] if first else path].append(path)

    def of_body(self, old: Body, new: Body) -> KeptPaths:
        """What stays of one list of steps."""
        before = {step.id: step for step in old.steps}
        again = {step.id for step in new.steps if not self._stays(before.get(step.id), step)}
        stale = self._spread(again, old, new)
        parts = []
        for step in new.steps:
            if step.id not in again:
                parts.append(KeptPaths(frozenset(self._belonging(step))))
            elif step.id not in stale and step.id in before:
                parts.append(self._of_container(before[step.id], step))
        return KeptPaths.union(*parts)

    def has_failed(self, step: StepDocument) -> bool:
        """True when it did not end well, or something did not that its loop or group lets pass.

        A `try` that succeeded has dealt with what failed inside.
        """
        row = self._results.get(step.id)
        if row is None:
            return False
        if row.status in BAD or any(
            self._results[path].status in BAD for path in self._batches(step) if "." not in path
        ):
            return True
        is_group = step.is_container and not step.fields.keys() & {"for_each", "while", "try"}
        return is_group and any(self.has_failed(inner) for inner in step.bodies[0].steps)

    def _stays(self, old: StepDocument | None, step: StepDocument) -> bool:
        """True when the whole result stays, as far as the step itself is concerned."""
        row = self._results.get(step.id)
        if old is None or row is None or _meaning(old) != _meaning(step) or self._is_restarted(step):
            return False
        if self._restart is None:
            return row.status in GOOD and not self.has_failed(step)
        return row.status in GOOD or (row.status is StepStatus.FAILED and step.on_error == "continue")

    def _is_restarted(self, step: StepDocument) -> bool:
        return self._restart is not None and self._restart.step in _ids(step)

    def _was_usable(self, step: StepDocument) -> bool:
        """True when later steps may have used the old result. A step that never ended was used by nobody."""
        row = self._results.get(step.id)
        if row is None:
            return False
        return row.status in GOOD or (row.status is StepStatus.FAILED and step.on_error == "continue")

    def _spread(self, again: set[str], old: Body, new: Body) -> set[str]:
        """Add to `again` what depends on it; returns all that depends on it.

        That is whatever used a result that is done again, and whatever was skipped because of such a step.
        """
        usable = {step.id for step in old.steps if self._was_usable(step)}
        skipped = {path for path, row in self._results.items() if row.status is StepStatus.SKIPPED}
        needs = {step.id: {need.step for need in step.needs} for step in new.steps}
        stale: set[str] = set()
        is_growing = True
        while is_growing:
            found = {
                name
                for name, needed in needs.items()
                if name not in stale and any(one in usable or name in skipped for one in needed & again)
            }
            stale |= found
            again |= found
            is_growing = bool(found)
        return stale

    def _of_container(self, old: StepDocument, step: StepDocument) -> KeptPaths:
        """What stays inside a step that is done again although nothing it depends on is."""
        if self._restart is not None and self._restart.item is None and self._restart.step == step.id:
            return NONE
        if "for_each" in step.fields:
            return self._of_loop(old, step)
        if not step.is_container or "while" in step.fields or _shell(old) != _shell(step):
            return NONE
        return self.of_body(old.bodies[0], step.bodies[0])

    def _of_loop(self, old: StepDocument, loop: StepDocument) -> KeptPaths:
        """The batches in which every item succeeded, with all inside them, and the others, to go on with."""
        restart = self._restart if self._is_restarted(loop) else None
        if _meaning(old) != _meaning(loop) or (restart is not None and restart.step != loop.id):
            return NONE
        index = None if restart is None else restart.item
        spans = {path: _span(path) for path in self._batches(loop) if "." not in path}
        again = frozenset((path, index) for path, span in spans.items() if index is not None and index in span)
        final = {path for path in spans if self._results[path].status in GOOD and (path, index) not in again}
        reopened = spans.keys() - final
        done = [spans[path] for path in final]
        passes = [f".{name}[" for name in _whiles(loop)]
        for path in self._batches(loop) - spans.keys():
            item = Restart.read(path).item
            if any(item in span for span in done):
                final.add(path)
            elif item != index and not any(one in path for one in passes):
                reopened.add(path)
        return KeptPaths(frozenset(final), frozenset(reopened), again)

    def _batches(self, step: StepDocument) -> set[str]:
        """The rows of the items of a loop, and those of loops inside it."""
        rows = self._rows[step.id] if "for_each" in step.fields else ()
        return {path for path in rows if _BATCH.fullmatch(path)}

    def _belonging(self, step: StepDocument) -> Iterator[str]:
        """The paths of its own row and of all inside it."""
        for name in _ids(step):
            yield from self._rows.get(name, ())


def _span(batch: str) -> range:
    """The indexes of the items in a batch."""
    first, last = batch.rpartition("[")[2].rstrip("]").split("-")
    return range(int(first), int(last) + 1)


def _ids(step: StepDocument) -> Iterator[str]:
    """The id of a step and those of all inside it."""
    yield step.id
    for body in step.bodies:
        for inner in body.steps:
            yield from _ids(inner)


def _whiles(step: StepDocument) -> Iterator[str]:
    """The ids of the `while` loops inside a step: their passes begin anew, and so do loops inside those."""
    for body in step.bodies:
        for inner in body.steps:
            if "while" in inner.fields:
                yield inner.id
            yield from _whiles(inner)


def _shell(step: StepDocument) -> dict[str, Any]:
    """What a step says besides the steps inside it, without the words for people."""
    said = {key: value for key, value in step.fields.items() if key not in UNSEEN | HELD}
    return said | {"holds": [body.key for body in step.bodies]}


def _meaning(step: StepDocument) -> dict[str, Any]:
    """What a step and all inside it do."""
    return _shell(step) | {"steps": [[_meaning(inner) for inner in body.steps] for body in step.bodies]}
