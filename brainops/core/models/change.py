"""ModelWatch and ModelChange: an outbox of changes to the rows of Django models, filled by triggers of the database."""

from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from brainops.core.fields import JsonField


class ModelWatch(models.Model):
    """Somebody who wants to know of changes to one table. The database's own trigger asks this table at each change.

    `operations` are insert, update and delete; `columns` those of which one has to change for an update to count (none:
    any); `hidden` columns never enter the outbox.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    table = models.TextField()
    operations = ArrayField(models.TextField())
    columns = ArrayField(models.TextField(), default=list)
    hidden = ArrayField(models.TextField(), default=list)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        indexes = [models.Index(fields=["table"], name="watch_table")]

    def __str__(self) -> str:
        return f"{self.table} for {self.id}"


class ModelChange(models.Model):
    """One change of one row, written in the transaction that made it. `before` and `after` are the row's columns."""

    id = models.BigAutoField(primary_key=True)
    watch = models.ForeignKey(  # no constraint: who changes a row must never fail, or wait, since a watch has gone
        ModelWatch, on_delete=models.CASCADE, related_name="changes", db_index=False, db_constraint=False
    )
    operation = models.TextField()
    before = JsonField(null=True)
    after = JsonField(null=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["watch", "id"], name="change_next")]

    def __str__(self) -> str:
        return f"{self.operation} {self.id}"
