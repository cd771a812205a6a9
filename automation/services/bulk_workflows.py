"""One verb on many workflows: what each becomes is judged row by row, and written set by set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models import F, QuerySet

from automation.models import Transfer, Workflow
from automation.services import bulk, exports, runnable
from automation.services.bulk import Fate, Manner, Outcome, Report
from automation.services.bulk_verbs import VERBS, Details, Effect, Verb
from automation.services.documents import canonical
from automation.services.exports import Wanted
from automation.services.version_numbers import next_number
from automation.services.workflow_deletion import counts_of, delete_in_transaction
from automation.store.bulk_workflows import NextVersion, add_versions
from brainops.accounts.caller import Caller
from brainops.accounts.scoping import scoped
from brainops.audit.services import Deed, record_many
from brainops.core import clock
from brainops.core.errors import AppError, InvalidInput, VersionMismatch

VERSIONED = ("tags", "meta_data")  # changing one of these makes a version
COLUMNS = (
    *("id", "workspace_id", "owner_id", "name", "version", "revision", "is_active", "archived_at", "tags"),
    "workspace__requires_if_match",
)


@dataclass(frozen=True, slots=True)
class Order:
    """What to do with which workflows. `states` are the states the caller means, as If-Match names them, by id."""

    action: str
    ids: Sequence[UUID]
    details: Details = field(default_factory=Details)
    states: Mapping[UUID, str] = field(default_factory=dict)
    manner: Manner = field(default_factory=Manner)

    @property
    def verb(self) -> Verb:
        """What the action does."""
        return VERBS[self.action]


@dataclass(frozen=True, slots=True)
class Change:
    """A row, and the columns that get other values."""

    row: Workflow
    values: Mapping[str, Any]
    number: str  # of the version it will have

    @property
    def is_versioned(self) -> bool:
        """True when it makes a version."""
        return any(name in self.values for name in VERSIONED)


def carry_out(caller: Caller, order: Order) -> Report:
    """Do it to the workflows of the caller's workspace. Raises PermissionDenied when the caller may do it to none."""
    if not caller.may(order.verb.permission, created_by=caller.user_id):
        caller.require(order.verb.permission)
    bulk.require_few(order.ids)
    order.details.require_owner_in(caller.workspace())
    rows = scoped(Workflow.objects.all(), caller)
    return bulk.carry_out(
        order.ids,
        partial(_work, caller, order, rows),
        manner=order.manner,
        then=partial(_record_call, caller, order, caller.workspace()),
    )


def export(caller: Caller, order: Order) -> tuple[Report, Transfer | None]:
    """Have a worker write a file of those that the caller may export. Raises as `carry_out` and `exports.start` do."""
    with transaction.atomic():
        report = carry_out(caller, order)
        done = [outcome.id for outcome in report.outcomes if outcome.fate is Fate.DONE]
        if not (report.is_applied and done):
            return report, None
        return report, exports.start(caller, Wanted(ids=done, format=order.details.form))


def carry_out_anywhere(staff: Caller, order: Order) -> Report:
    """Do it to workflows of any workspace. The door has made sure that staff is calling, who may."""
    bulk.require_few(order.ids)
    return bulk.carry_out(
        order.ids,
        partial(_work, staff, order, Workflow.objects.all()),
        manner=order.manner,
        then=partial(_record_call, staff, order, None),
    )


def _work(caller: Caller, order: Order, rows: QuerySet[Workflow], ids: Sequence[UUID]) -> dict[UUID, Outcome]:
    outcomes, changes = {}, []
    for row in _read(rows, order, ids):
        try:
            caller.require(order.verb.permission, created_by=row.owner_id)
            _require_match(row, order)
            values = order.verb.judge(row, order.details)
        except AppError as refusal:
            outcomes[row.id] = Outcome.refused(row.id, refusal, **_facts(row.version, row.revision))
            continue
        if values:
            changes.append(_change(row, values))
        else:
            outcomes[row.id] = Outcome(row.id, Fate.UNCHANGED, facts=_facts(row.version, row.revision))
    return outcomes | (_WRITERS[order.verb.effect](caller, order, changes) if changes else {})


def _read(rows: QuerySet[Workflow], order: Order, ids: Sequence[UUID]) -> QuerySet[Workflow]:
    """The rows, locked as a single request would lock them; just read where they stay as they are."""
    columns = (*COLUMNS, "meta_data") if order.details.meta_data is not None else COLUMNS
    found = rows.filter(id__in=ids).select_related("workspace").only(*columns).order_by("id")
    if order.manner.is_dry_run or order.verb.effect is Effect.EXPORT:
        return found
    return found.select_for_update(of=("self",), no_key=order.verb.effect is not Effect.DELETE)


def _change(row: Workflow, values: Mapping[str, Any]) -> Change:
    is_versioned = any(name in values for name in VERSIONED)
    return Change(row, values, next_number(row.version) if is_versioned else row.version)


def _save(caller: Caller, order: Order, changes: Sequence[Change]) -> dict[UUID, Outcome]:
    if not order.manner.is_dry_run:
        now = clock.now()
        _add_versions(caller, order, [change for change in changes if change.is_versioned])
        _set_columns(changes, now)
        record_many(caller, [_deed(order.verb, change) for change in changes])
        _forget([change.row.id for change in changes])
    return {
        change.row.id: Outcome(change.row.id, Fate.DONE, facts=_facts(change.number, change.row.revision + 1))
        for change in changes
    }


def _add_versions(caller: Caller, order: Order, changes: Sequence[Change]) -> None:
    if not changes:
        return
    found = [
        NextVersion(
            change.row.id,
            uuid4(),
            change.number,
            canonical(change.values.get("tags", change.row.tags)).decode(),
            canonical(change.values["meta_data"]).decode() if "meta_data" in change.values else None,
        )
        for change in changes
    ]
    with connection.cursor() as cursor:
        add_versions(cursor, found, note=order.details.note, author_id=caller.user_id)


def _set_columns(changes: Sequence[Change], now: datetime) -> None:
    """The switches. Rows of one request get the same values, so there are one or two statements."""
    alike: dict[tuple[tuple[str, Any], ...], list[UUID]] = defaultdict(list)
    for change in changes:
        plain = tuple((name, value) for name, value in change.values.items() if name not in VERSIONED)
        alike[plain].append(change.row.id)
    for values, ids in alike.items():
        rows = Workflow.objects.filter(id__in=ids)
        rows.update(revision=F("revision") + 1, updated_at=now, **dict(values))


def _delete(caller: Caller, order: Order, changes: Sequence[Change]) -> dict[UUID, Outcome]:
    rows = [change.row for change in changes]
    counts = counts_of([row.id for row in rows]) if order.manner.is_dry_run else delete_in_transaction(caller, rows)
    return {row.id: Outcome(row.id, Fate.DONE, facts={"deleted": counts[row.id]}) for row in rows}


def _export(caller: Caller, order: Order, changes: Sequence[Change]) -> dict[UUID, Outcome]:
    """The file itself is started when all are judged (`carry_out`)."""
    rows = [change.row for change in changes]
    if not order.manner.is_dry_run:
        record_many(
            caller,
            [Deed(row.workspace_id, "workflow.export", "workflow", row.id, _said(order.verb, row)) for row in rows],
        )
    return {row.id: Outcome(row.id, Fate.DONE, facts=_facts(row.version, row.revision)) for row in rows}


_WRITERS = {Effect.SAVE: _save, Effect.DELETE: _delete, Effect.EXPORT: _export}


def _require_match(row: Workflow, order: Order) -> None:
    """What If-Match does for a single workflow. Raises VersionMismatch, InvalidInput."""
    meant = order.states.get(row.id)
    if meant is None:
        if row.workspace.requires_if_match:
            said = "This workspace changes only what is named in its present state. Add its ETag to if_match."
            raise InvalidInput(said, code="if_match_required")
        return
    present = f"{row.version}-r{row.revision}"
    if meant.strip().strip('"') not in (present, "*"):
        raise VersionMismatch(f"if_match names {meant}, but the present state is {present}. Read it again.")


def _facts(number: str, revision: int) -> dict[str, Any]:
    return {"version": number, "etag": f'"{number}-r{revision}"'}


def _forget(ids: Sequence[UUID]) -> None:
    for id_ in ids:
        transaction.on_commit(partial(runnable.forget, id_))


def _deed(verb: Verb, change: Change) -> Deed:
    row = change.row
    changes = {name: [getattr(row, name), value] for name, value in change.values.items() if name != "meta_data"}
    if change.is_versioned:
        changes["version"] = [row.version, change.number]
    return Deed(row.workspace_id, verb.action, "workflow", row.id, _said(verb, row), changes)


def _said(verb: Verb, row: Workflow) -> str:
    return f"{verb.said} workflow {row.name!r}."


def _record_call(caller: Caller, order: Order, workspace_id: UUID | None, report: Report) -> None:
    counts = ", ".join(f"{count} {fate}" for fate, count in report.counts.items())
    said = f"Bulk {order.action} of {len(report.outcomes)} workflows: {counts}."
    place = workspace_id or "everywhere"
    record_many(caller, [Deed(workspace_id, "workflow.bulk", "workspace", place, said, {"counts": report.counts})])
