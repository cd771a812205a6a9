"""The runs of slots: inserted together where nothing holds them back, else one by one through limits and quotas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from automation.models.firing import FiringDecision
from automation.services import run_quota
from automation.services.quotas import BEYOND_QUOTA
from automation.store.firings import Decided
from automation.store.intake import NewRun, insert_run
from automation.store.intake_many import insert_many, may_go_together
from automation.store.limits import LimitFull

At = tuple[UUID, datetime]  # a trigger and one of its slots


def insert_runs(cursor: Any, runs: Mapping[At, NewRun]) -> tuple[list[tuple[UUID, datetime, UUID]], list[Decided]]:
    """Insert the runs; return those that stand, and the slots whose limit or quota let none in."""
    full: list[Decided] = []
    held: list[tuple[At, NewRun]] = []
    plain = {at: run for at, run in runs.items() if may_go_together(run)}
    for at, run in plain.items():
        with _left_out(at, full), run_quota.place(run.workspace_id):
            held.append((at, run))
    uids = insert_many(cursor, [run for _at, run in held])
    accepted = [(*at, uid) for (at, _run), uid in zip(held, uids, strict=True)]
    others = ((at, run) for at, run in runs.items() if at not in plain)
    for at, run in sorted(others, key=lambda item: _lock_of(item[1])):
        with _left_out(at, full), run_quota.place(run.workspace_id):
            accepted.append((*at, insert_run(cursor, run).uid))
    return accepted, full


@contextmanager
def _left_out(at: At, full: list[Decided]) -> Iterator[None]:
    try:
        yield
    except LimitFull as error:
        full.append(Decided(*at, FiringDecision.FULL, str(error)))
    except BEYOND_QUOTA as error:
        full.append(Decided(*at, FiringDecision.OVER_QUOTA, str(error)))


def _lock_of(run: NewRun) -> tuple[int, str]:
    """What its insertion locks. Taken in this order, so that two ticks never wait for each other."""
    if run.gathering is not None:
        return 2, run.gathering.key
    return (1, run.slot.key) if run.slot is not None else (0, "")
