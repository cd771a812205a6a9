"""What a retry would keep, do again, and repeat outside, before anybody starts it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from automation.engine.document import StepDocument, parse_document
from automation.engine.keep import KeptPaths
from automation.engine.results import id_of
from automation.services import retries
from automation.services.effects import CONFIRMED, FAILED, Occurred, declared_effect, occurred, sends_key, target_of
from automation.services.loops import loop_of
from automation.services.retries import Repeat
from brainops.accounts.caller import Caller

MOST_EFFECTS = 200  # that are named one by one; all are counted
_ITEM = re.compile(r"\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class RepeatedEffect:
    """A write that the new run would do: at `path`, for a second time when it `has_happened` (or may have).

    `has_key`: the target is sent an idempotency key. The new run has new keys, so the target takes it for new.
    """

    path: str
    kind: str
    effect: str
    has_happened: bool
    was: str | None  # how sure the earlier one is
    has_key: bool | None
    target: str | None


@dataclass(frozen=True, slots=True)
class Preview:
    """`kept` and `again` are paths: rows that stay; steps that go again, with the items named of a loop.

    `repeats` counts the effects that would happen a second time, by effect; `effects` names the first of all writes.
    """

    version: str
    kept: tuple[str, ...]
    again: tuple[str, ...]
    effects: tuple[RepeatedEffect, ...]
    repeats: Mapping[str, int]

    @property
    def repeat_count(self) -> int:
        """How many effects would happen a second time."""
        return sum(self.repeats.values())


def preview(caller: Caller, uid: UUID | str, repeat: Repeat) -> Preview:
    """Plan a retry and start nothing. Raises as `retries.retry` does, save for what only a start finds out."""
    planned = retries.plan(caller, uid, repeat)
    document = parse_document(planned.version.definition)
    steps = {step.id: step for step in document.steps()}
    old_steps = {step.id: step for step in parse_document(planned.run.version.definition).steps()}
    with connection.cursor() as cursor:
        done = [one for one in occurred(cursor, planned.run.id) if not _stays(one, planned.kept)]
    top = document.body.steps
    effects = [*_repeated(done, steps, old_steps), *_first_times(done, top, planned.kept)]
    items = [f"{loop_of(batch)}[{index}]" for batch, index in sorted(planned.kept.items_again)]
    return Preview(
        version=planned.version.number,
        kept=tuple(sorted(planned.kept.final)),
        again=(*(step.id for step in _going_again(top, planned.kept) if not step.around.is_in_loop), *items),
        effects=tuple(effects[:MOST_EFFECTS]),
        repeats=Counter(one.effect for one in effects if one.has_happened),
    )


def _stays(one: Occurred, kept: KeptPaths) -> bool:
    """True when the result of an effect is taken over, so that it is not repeated."""
    if one.row in kept.final:
        return True
    if one.row not in kept.reopened or (one.row, _index(one)) in kept.items_again:
        return False
    return one.status == CONFIRMED  # of an item that is done again, what succeeded stays


def _index(one: Occurred) -> int:
    found = _ITEM.search(one.path, len(loop_of(one.row)))
    return int(found[1]) if found else -1


def _repeated(
    done: Iterable[Occurred], steps: Mapping[str, StepDocument], old_steps: Mapping[str, StepDocument]
) -> list[RepeatedEffect]:
    found = []
    for one in done:
        step = steps.get(id_of(one.path))
        if step is not None:  # else the new version has no such step
            found.append(_effect(one.path, step, one.effect, was=one.status, old=old_steps.get(step.id)))
    return found


def _first_times(done: Sequence[Occurred], steps: Iterable[StepDocument], kept: KeptPaths) -> list[RepeatedEffect]:
    """Writes of steps that go again, or for the first time, and did nothing outside before: they may come."""
    named = {id_of(one.path) for one in done}
    return [
        _effect(step.id, step, effect, was=None, old=None)
        for step in _going_again(steps, kept)
        if step.id not in named and (effect := declared_effect(step)) is not None
    ]


def _going_again(steps: Iterable[StepDocument], kept: KeptPaths) -> Iterator[StepDocument]:
    """The steps without a row that stays, nested ones included."""
    for step in steps:
        if step.id not in kept.final:
            yield step
            for body in step.bodies:
                yield from _going_again(body.steps, kept)


def _effect(path: str, step: StepDocument, effect: str, *, was: str | None, old: StepDocument | None) -> RepeatedEffect:
    now = declared_effect(step)
    return RepeatedEffect(
        path=path,
        kind=step.uses or (old.uses if old else None) or "",
        effect=now or effect,
        has_happened=was not in (None, FAILED),
        was=was,
        has_key=sends_key(step),
        target=target_of(step),
    )
