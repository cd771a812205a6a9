"""Imports: what a file holds becomes workflows of the caller's workspace, at once or by a worker."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from automation.models import Workflow
from automation.services.exchange.applying import apply
from automation.services.exchange.planning import Planner
from automation.services.exchange.plans import Action, Options, Plan
from automation.services.exchange.reading import File, Piece
from automation.services.exchange.survey import Survey, survey
from automation.store.transfers import lock_imports, try_lock_imports, unlock_imports
from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission
from brainops.core.errors import Conflict

Json = Any
Done = Callable[[Sequence[Plan]], None]  # told in the transaction that wrote the plans; it may add to it
IsDone = Callable[[int], bool]

PORTION = 50  # workflows planned and written together
PATIENCE_SECONDS = 10.0  # that a caller waits for another import of its workspace


@dataclass(slots=True)
class Outcome:
    """What an import did, or would do. `ids` gives the id here for each key of the file, `items` are reports."""

    options: Options
    is_applied: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    missing: dict[str, dict[str, None]] = field(default_factory=dict)  # names in order, each once
    ids: dict[str, str] = field(default_factory=dict)
    items: list[dict[str, Json]] = field(default_factory=list)
    shown_once: dict[int, list[dict[str, Json]]] = field(default_factory=dict)  # new webhooks, by index in the file

    def add(self, plans: Sequence[Plan], *, with_items: bool = True) -> None:
        """Count these plans."""
        for plan in plans:
            self.counts[plan.action.value] += 1
            for sort, names in plan.missing.items():
                self.missing.setdefault(sort, {}).update(dict.fromkeys(names))
            if plan.entry.key is not None and plan.workflow_id is not None:
                self.ids[plan.entry.key] = str(plan.workflow_id)
            if with_items:
                self.items.append(plan.report())
                self.shown_once[plan.entry.index] = plan.shown_once

    def as_json(self) -> dict[str, Json]:
        """The outcome without its items."""
        return {
            "dry_run": self.options.dry_run,
            "strategy": self.options.strategy.value,
            "applied": self.is_applied,
            "counts": {action.value: self.counts[action.value] for action in Action},
            "missing": {sort: list(names) for sort, names in self.missing.items()},
        }


def run(caller: Caller, file: File, options: Options) -> Outcome:
    """Import a file now, all of it in one transaction.

    Raises InvalidInput for a file that is refused as a whole, PermissionDenied, and Conflict: `nothing_imported` when
    all was wanted or nothing and something is refused, `import_running` when another import does not end.
    """
    require(caller, options)
    outcome = Outcome(options)
    if options.dry_run:
        for plans in _planned(caller, file, options, survey(file, caller.workspace())):
            outcome.add(plans)
        return outcome
    with transaction.atomic():
        _wait_for_turn(caller.workspace())
        found = survey(file, caller.workspace())
        _lock_targets(found)
        write(caller, file, options, found, done=outcome.add)
        if options.all_or_nothing and is_refused(outcome):
            raise refusal_of(outcome)
    outcome.is_applied = True
    return outcome


def require(caller: Caller, options: Options) -> None:
    """Raise PermissionDenied unless the caller may import like that."""
    caller.require(Permission.WORKFLOWS_IMPORT)
    if options.activate:
        caller.require(Permission.WORKFLOWS_UPDATE, created_by=caller.user_id)


def most_at_once() -> int:
    """Bytes of a file that is imported while somebody waits."""
    return int(settings.BRAINOPS_LIMITS["import_now_bytes"])


def plan_only(caller: Caller, file: File, options: Options, found: Survey) -> Iterator[list[Plan]]:
    """The plans, portion by portion, and nothing written."""
    yield from _planned(caller, file, options, found)


def write(
    caller: Caller,
    file: File,
    options: Options,
    found: Survey,
    *,
    done: Done,
    is_done: Callable[[int], bool] | None = None,
) -> None:
    """Plan and write portion by portion, each in a transaction (inside of the caller's, where there is one).

    `is_done` tells which workflows of the file were written before: they are read and left alone.
    """
    planner = Planner(caller, found, options)
    for pieces in portions(file.pieces()):
        waiting = [piece for piece in pieces if is_done is None or not is_done(piece.index)]
        if waiting:
            with transaction.atomic():
                plans = planner.plan(waiting, lock=True)
                apply(caller, plans)
                done(plans)


def is_refused(outcome: Outcome) -> bool:
    """True when something would have to be repaired before all of the file could be imported."""
    return any(outcome.counts[action.value] for action in Action if action.is_bad)


def refusal_of(outcome: Outcome) -> Conflict:
    """Why nothing was imported."""
    bad = sum(outcome.counts[action.value] for action in Action if action.is_bad)
    details = {**outcome.as_json(), "results": [item for item in outcome.items if Action(item["action"]).is_bad][:100]}
    said = f"{bad} of {sum(outcome.counts.values())} workflows cannot be imported, and all or nothing was asked."
    return Conflict(f"Nothing was imported: {said}", code="nothing_imported", details=details)


def portions(pieces: Iterator[Piece]) -> Iterator[list[Piece]]:
    """The pieces, PORTION at a time."""
    while some := list(islice(pieces, PORTION)):
        yield some


def _planned(caller: Caller, file: File, options: Options, found: Survey) -> Iterator[list[Plan]]:
    planner = Planner(caller, found, options)
    for pieces in portions(file.pieces()):
        yield planner.plan(pieces)


def _lock_targets(found: Survey) -> None:
    """Lock what the file is about in the order of ids, as bulk requests do: the file may name it in any other."""
    targets = [entry.target for entry in found.entries if entry.target]
    rows = Workflow.objects.filter(id__in=targets).order_by("id").select_for_update(no_key=True)
    list(rows.values_list("id", flat=True))


def _wait_for_turn(workspace_id: UUID) -> None:
    """Hold the workspace's imports until the transaction ends: the same file twice at once is one after the other."""
    ends_at = time.monotonic() + PATIENCE_SECONDS
    with connection.cursor() as cursor:
        while not try_lock_imports(cursor, workspace_id):
            if time.monotonic() >= ends_at:
                said = "Another import of this workspace is running. Import the file when it has ended."
                raise Conflict(said, code="import_running", retry_after_seconds=30)
            time.sleep(0.05)


@contextmanager
def turn(workspace_id: UUID) -> Iterator[bool]:
    """Hold the workspace's imports on this connection over several transactions; False when another one does."""
    with connection.cursor() as cursor:
        is_ours = lock_imports(cursor, workspace_id)
    try:
        yield is_ours
    finally:
        if is_ours:
            with connection.cursor() as cursor:
                unlock_imports(cursor, workspace_id)
