"""Changes to rows of Django models, noted by the database itself in the transaction that makes them.

So `save()`, `bulk_create()`, `update()`, plain SQL and other programs all count, and a change that is rolled back was
never there. TRUNCATE does not count. A table that nobody watches has no trigger.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.db import OperationalError, connection, models, transaction

from brainops.core.errors import Unavailable
from brainops.core.models import ModelChange, ModelWatch
from brainops.core.redact import is_secret_key

OPERATIONS = ("insert", "update", "delete")
LOCK_SECONDS = 3  # the table is locked for a moment when its first watch begins and its last one ends
OWN_APPS = frozenset({"accounts", "audit", "automation", "core", "integrations", "webhooks"})
TRIGGER = "brainops_note_change"


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one row: columns and their values as JSON. `before` is None for an insert, `after` for a delete."""

    id: int
    operation: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    at: datetime


def watchable() -> dict[str, type[models.Model]]:
    """The models that this installation lets be watched, by their label (`shop.Order`): BRAINOPS_WATCHED_MODELS."""
    known = {model._meta.label: model for model in apps.get_models() if not model._meta.proxy}
    return {name: known[name] for name in settings.BRAINOPS_WATCHED_MODELS if name in known and not is_own(name)}


def is_own(label: str) -> bool:
    """True for models of BrainOps: what it writes itself must not start what makes it write again."""
    return label.partition(".")[0] in OWN_APPS


def columns_of(model: type[models.Model]) -> list[str]:
    """The columns of a model's own table."""
    return [str(field.column) for field in model._meta.local_concrete_fields]


def watch(
    id_: UUID, model: type[models.Model], *, operations: Sequence[str], columns: Sequence[str], hidden: Collection[str]
) -> None:
    """Note changes of a model's table from now on, in the caller's transaction. Raises Unavailable for a busy table.

    Columns whose names say that they hold secrets are hidden in any case. What a former watch of this id has noted of
    another table is forgotten.
    """
    table = model._meta.db_table
    secret = [name for name in columns_of(model) if is_secret_key(name)]
    before = ModelWatch.objects.filter(id=id_).first()
    if before is not None and before.table != table:
        unwatch(id_)
    fields = {"operations": list(operations), "columns": list(columns), "hidden": sorted({*hidden, *secret})}
    ModelWatch.objects.update_or_create(id=id_, defaults={"table": table, **fields})
    quoted = connection.ops.quote_name(table)
    _on_table(
        f"create or replace trigger {TRIGGER} after insert or update or delete on {quoted} "
        "for each row execute function core_note_change()"
    )


def unwatch(id_: UUID) -> None:
    """Note no more changes for this watch, and forget those noted. Raises Unavailable for a busy table."""
    found = ModelWatch.objects.filter(id=id_).first()
    if found is None:
        return
    found.delete()
    if not ModelWatch.objects.filter(table=found.table).exists() and _exists(found.table):
        _on_table(f"drop trigger if exists {TRIGGER} on {connection.ops.quote_name(found.table)}")


def watched_by() -> list[UUID]:
    """The ids of all watches."""
    return list(ModelWatch.objects.values_list("id", flat=True))


def oldest(id_: UUID, *, most: int) -> list[Change]:
    """The changes noted longest ago, in the order in which they were made; those of open transactions come later."""
    rows = ModelChange.objects.filter(watch_id=id_).order_by("id")[:most]
    return [Change(row.id, row.operation, row.before, row.after, row.at) for row in rows]


def forget(id_: UUID, change_ids: Collection[int]) -> None:
    """Take changes out of the outbox."""
    ModelChange.objects.filter(watch_id=id_, id__in=change_ids).delete()


def sweep() -> int:
    """Delete what was noted for watches that went at that moment; return how many."""
    orphans = ModelChange.objects.exclude(watch_id__in=ModelWatch.objects.values("id"))
    return orphans.delete()[0]


def _exists(table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("select to_regclass(%s) is not null", (connection.ops.quote_name(table),))
        return bool(cursor.fetchone()[0])


def _on_table(statement: str) -> None:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("select current_setting('lock_timeout')")
            usual = cursor.fetchone()[0]
            cursor.execute(f"set local lock_timeout = '{LOCK_SECONDS}s'")
            cursor.execute(statement)
            cursor.execute("select set_config('lock_timeout', %s, true)", (usual,))
    except OperationalError as error:
        raise Unavailable("The table is being used by a long transaction. Try again in a moment.") from error
