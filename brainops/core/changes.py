"""Changes to rows of Django models, noted by the database itself in the transaction that makes them.

So `save()`, `bulk_create()`, `update()`, plain SQL and other programs all count, and a change that is rolled back was
never there. TRUNCATE does not count. A table that nobody watches has no trigger.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate, takewhile
from typing import Any
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.db import models, transaction
from django.db.models import F, TextField, Value
from django.db.models.functions import Cast, Coalesce, Length, Now

from brainops.core import watched_tables
from brainops.core.models import ModelChange, ModelWatch
from brainops.core.redact import is_secret_key

OPERATIONS = ("insert", "update", "delete")
OWN_PACKAGES = ("automation", "brainops", "integrations", "webhooks")
MOST_CHARACTERS = 16 << 20  # of the changes that are read at once, as JSON
KEEP_DAYS = 30  # of changes that nobody takes, since the workflow is switched off


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one row: columns and their values as JSON. `before` is None for an insert, `after` for a delete.

    Both are None when the row was too large to be noted (1 MiB).
    """

    id: int
    operation: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    at: datetime

    @property
    def is_too_large(self) -> bool:
        """True when the row itself was not noted."""
        return self.before is None and self.after is None


@dataclass(frozen=True, slots=True)
class Noted:
    """The changes noted longest ago; `has_more`: there may be others."""

    changes: Sequence[Change]
    has_more: bool


def watchable() -> dict[str, type[models.Model]]:
    """The models that this installation lets be watched, by their label (`shop.Order`): BRAINOPS_WATCHED_MODELS."""
    known = {model._meta.label: model for model in apps.get_models() if not model._meta.proxy}
    return {name: known[name] for name in settings.BRAINOPS_WATCHED_MODELS if name in known and not is_own(name)}


def is_own(label: str) -> bool:
    """True for models of BrainOps: what it writes itself must not start what makes it write again."""
    config = apps.app_configs.get(label.partition(".")[0])
    return config is not None and config.name.partition(".")[0] in OWN_PACKAGES


def columns_of(model: type[models.Model]) -> list[str]:
    """The columns of a model's own table."""
    return [str(field.column) for field in model._meta.local_concrete_fields]


def watch(
    id_: UUID, model: type[models.Model], *, operations: Sequence[str], columns: Sequence[str], hidden: Collection[str]
) -> None:
    """Note changes of a model's table from now on, in the caller's transaction.

    Columns whose names say that they hold secrets are hidden in any case. What a former watch of this id has noted of
    another table is forgotten. Raises Unavailable for a busy table, Conflict for one that can have no trigger.
    """
    table = model._meta.db_table
    before = ModelWatch.objects.filter(id=id_).first()
    if before is not None and before.table != table:
        unwatch(id_)
    watched_tables.begin(table)
    fields = {"operations": list(operations), "columns": list(columns), "hidden": sorted(_hidden(model, hidden))}
    ModelWatch.objects.update_or_create(id=id_, defaults={"table": table, **fields})


def is_watched(
    id_: UUID, model: type[models.Model], *, operations: Sequence[str], columns: Sequence[str], hidden: Collection[str]
) -> bool:
    """False when something took the watch away, or it is another one: a restore, a migration, a race of two savers."""
    fields = {"operations": list(operations), "columns": list(columns), "hidden": sorted(_hidden(model, hidden))}
    table = model._meta.db_table
    return ModelWatch.objects.filter(id=id_, table=table, **fields).exists() and watched_tables.is_ready(table)


def unwatch(id_: UUID) -> None:
    """Note no more changes for this watch, and forget those noted."""
    with transaction.atomic():
        found = ModelWatch.objects.filter(id=id_).first()
        if found is not None:
            found.delete()
            watched_tables.end(found.table)


def without(row: dict[str, Any] | None, hidden: Collection[str]) -> dict[str, Any] | None:
    """A row without the columns that are to be hidden now, whatever was so when it was noted."""
    if row is None:
        return None
    return {name: value for name, value in row.items() if name not in hidden and not is_secret_key(name)}


def watched_by() -> list[UUID]:
    """The ids of all watches."""
    return list(ModelWatch.objects.values_list("id", flat=True))


def oldest(id_: UUID, *, most: int) -> Noted:
    """The changes noted longest ago, in the order in which they were made; those of open transactions come later."""
    waiting = ModelChange.objects.filter(watch_id=id_).order_by("id")
    characters = _characters("before") + _characters("after")
    sizes = list(waiting.annotate(characters=characters).values_list("id", "characters")[:most])
    sums = accumulate(size for _, size in sizes)
    count = max(1, len(list(takewhile(lambda total: total <= MOST_CHARACTERS, sums))))
    rows = waiting.filter(id__in=[change_id for change_id, _ in sizes[:count]])
    found = [Change(row.id, row.operation, row.before, row.after, row.at) for row in rows]
    return Noted(found, has_more=len(sizes) == most or count < len(sizes))


def forget(id_: UUID, change_ids: Collection[int]) -> None:
    """Take changes out of the outbox."""
    ModelChange.objects.filter(watch_id=id_, id__in=change_ids).delete()


def sweep() -> int:
    """Delete what nobody takes: noted for watches that went at that moment, or long ago; return how many.

    Also drops the triggers of tables that nobody watches.
    """
    watched_tables.sweep()
    orphans = ModelChange.objects.exclude(watch_id__in=ModelWatch.objects.values("id"))
    old = ModelChange.objects.filter(at__lt=Now() - timedelta(days=KEEP_DAYS))
    return orphans.delete()[0] + old.delete()[0]


def _hidden(model: type[models.Model], hidden: Collection[str]) -> set[str]:
    return {*hidden, *(name for name in columns_of(model) if is_secret_key(name))}


def _characters(name: str) -> Any:
    return Coalesce(Length(Cast(F(name), TextField())), Value(0))
