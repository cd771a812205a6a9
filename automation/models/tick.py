"""Tick: whose turn it is to do the periodic work."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class Tick(models.Model):
    """One kind of periodic work. Whoever moves `next_at` forward does it; everybody else skips."""

    name = models.TextField(primary_key=True)
    next_at = models.DateTimeField(db_default=Now())
    ran_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name
