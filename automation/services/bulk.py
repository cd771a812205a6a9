"""Bulk: one verb on many things, an answer for each of them, in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from brainops.core.errors import AppError, InvalidInput, Problem

CHUNK = 200  # things that one set of statements reads, judges and writes: what bounds the memory


class Fate(StrEnum):
    """What became of one thing; in a dry run, what would."""

    DONE = "done"
    UNCHANGED = "unchanged"  # it was so already
    NOT_FOUND = "not_found"  # missing, or somebody else's: the same answer
    REFUSED = "refused"
    WITHHELD = "withheld"  # it could have been done; others could not, and all or nothing was asked


HINDRANCES = frozenset({Fate.NOT_FOUND, Fate.REFUSED})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one thing, why it was refused, and what else there is to say of it (plain JSON)."""

    id: UUID
    fate: Fate
    problem: Problem | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def refused(cls, id_: UUID, error: AppError, **facts: Any) -> Outcome:
        """Refused with the error that a single request would have got."""
        return cls(id_, Fate.REFUSED, Problem(error.code, error.message), facts)


@dataclass(frozen=True, slots=True)
class Report:
    """An outcome for each thing, in the order they were named. Not `is_applied`: nothing was changed."""

    outcomes: tuple[Outcome, ...]
    is_applied: bool

    @property
    def counts(self) -> dict[str, int]:
        """How many had each fate: `{"done": 3, "refused": 1}`."""
        return dict(Counter(outcome.fate.value for outcome in self.outcomes))


@dataclass(frozen=True, slots=True)
class Manner:
    """How a bulk request is carried out."""

    is_dry_run: bool = False
    is_all_or_nothing: bool = False


Work = Callable[[Sequence[UUID]], Mapping[UUID, Outcome]]
REFUSED_AS_A_WHOLE = "bulk_refused"


def carry_out(ids: Sequence[UUID], work: Work, *, manner: Manner, then: Callable[[Report], None]) -> Report:
    """Do `work` on the things, chunk by chunk in the order of their ids, so that two requests never lock crosswise.

    `work` leaves out what it does not find. `then` records the call, in the same transaction. A dry run, and one that
    is all or nothing and meets a hindrance, leaves no trace.
    """
    unique = list(dict.fromkeys(ids))
    outcomes: dict[UUID, Outcome] = {}
    with transaction.atomic():
        for chunk in _chunks(sorted(unique)):
            outcomes.update(work(chunk))
        found = [outcomes.get(id_) or Outcome(id_, Fate.NOT_FOUND) for id_ in unique]
        if manner.is_all_or_nothing and any(outcome.fate in HINDRANCES for outcome in found):
            transaction.set_rollback(True)
            return Report(tuple(map(_withheld, found)), is_applied=False)
        report = Report(tuple(found), is_applied=not manner.is_dry_run)
        if not manner.is_dry_run:
            then(report)
    return report


def require_few(ids: Sequence[UUID], *, pointer: str = "/ids") -> None:
    """Raise InvalidInput when more things are named than one request may change."""
    most = settings.BRAINOPS_LIMITS["bulk_items"]
    if len(set(ids)) > most:
        said = f"At most {most:,} items at once, got {len(set(ids)):,}. Send them in parts."
        raise InvalidInput(said, code="too_many_items", problems=[Problem("too_many_items", said, pointer)])


def ids_of(rows: QuerySet[Any], *, column: str = "id") -> list[UUID]:
    """The ids that a filter finds. Raises InvalidInput when there are more than one request may change."""
    most = settings.BRAINOPS_LIMITS["bulk_items"]
    found: list[UUID] = list(rows.values_list(column, flat=True)[: most + 1])
    if len(found) > most:
        said = f"More than {most:,} items fit the filter. Narrow it, or name the items in parts."
        raise InvalidInput(said, code="too_many_items", problems=[Problem("too_many_items", said, "/filter")])
    return found


def _withheld(outcome: Outcome) -> Outcome:
    return replace(outcome, fate=Fate.WITHHELD, facts={}) if outcome.fate is Fate.DONE else outcome


def _chunks(ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]
