"""Limit: how many runs with one key may be under way."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class Limit(models.Model):
    """One key and its capacity. Who holds a slot is not counted here: it is derived from the runs themselves.

    The row is what admissions of one key queue up behind, so that two of them never count at the same time.
    """

    key = models.TextField(primary_key=True)  # <workflow id>:<value of the key>
    workflow = models.ForeignKey("automation.Workflow", on_delete=models.CASCADE, related_name="+")
    capacity = models.IntegerField()
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return f"{self.key}: {self.capacity}"
