"""Worker: one live process that executes runs."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from brainops.core.fields import JsonField


class WorkerState(models.IntegerChoices):
    """A worker's life. Only a LIVE one can claim."""

    LIVE = 1, "live"
    DRAINING = 2, "draining"  # warm stop: finishes what it holds, claims nothing
    DEAD = 3, "dead"  # declared dead by another process
    GONE = 4, "gone"  # stopped by itself, held nothing


class Worker(models.Model):
    """A registered worker process. `name` is host and slot, so a restart can declare its predecessor dead."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    name = models.TextField()
    host = models.TextField(db_default="")
    pid = models.IntegerField(db_default=0)
    release = models.TextField(db_default="")
    slots = models.IntegerField(db_default=32)
    state = models.SmallIntegerField(choices=WorkerState, db_default=WorkerState.LIVE)
    busy = JsonField(db_default=models.Value([], models.JSONField()))  # [{run, path, attempt, started_at}]
    started_at = models.DateTimeField(db_default=Now())
    heartbeat_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            # recovery looks for silent workers
            models.Index(fields=["heartbeat_at"], name="worker_heartbeat", condition=Q(state__in=[1, 2])),
        ]

    def __str__(self) -> str:
        return f"{self.name} {WorkerState(self.state).label}"
