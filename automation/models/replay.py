"""Replay and ReplayItem: many runs retried together, or many deliveries run again, at a bounded pace."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from brainops.core.fields import JsonField


class ReplayState(models.TextChoices):
    """Where a replay stands."""

    RUNNING = "running", "running"
    DONE = "done", "done"
    CANCELLED = "cancelled", "cancelled"


class Replay(models.Model):
    """One order to repeat many things. `options` is what a single repeat takes; `per_minute` bounds the pace.

    `source` says what is repeated: runs, or what a room above has registered a repeater for (`replay_sources`).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    source = models.CharField(max_length=40, db_default="runs", default="runs")
    options = JsonField(default=dict)
    per_minute = models.IntegerField(db_default=600)
    state = models.CharField(max_length=20, choices=ReplayState, db_default=ReplayState.RUNNING)
    total = models.IntegerField(db_default=0)
    started = models.IntegerField(db_default=0)
    refused = models.IntegerField(db_default=0)
    next_at = models.DateTimeField(db_default=Now())
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["workspace", "-created_at", "-id"], name="replay_list"),
            models.Index(fields=["next_at"], name="replay_due", condition=Q(state="running")),
        ]

    def __str__(self) -> str:
        return f"replay {self.id} {self.state}"


class ReplayItem(models.Model):
    """One run of a replay, or one thing of another source by its id: what became of it."""

    id = models.BigAutoField(primary_key=True)
    replay = models.ForeignKey(Replay, on_delete=models.CASCADE, related_name="items")
    run = models.ForeignKey("automation.Run", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    subject_id = models.UUIDField(null=True, blank=True)  # what is repeated, where it is no run
    new_run = models.ForeignKey("automation.Run", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    error = JsonField(null=True, blank=True)
    is_done = models.BooleanField(db_default=False)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["replay", "run"], name="replay_item_once"),
            models.UniqueConstraint(fields=["replay", "subject_id"], name="replay_subject_once"),
        ]
        indexes = [models.Index(fields=["replay", "id"], name="replay_item_next", condition=Q(is_done=False))]

    def __str__(self) -> str:
        about = f"run {self.run_id}" if self.subject_id is None else str(self.subject_id)
        return f"{about} of replay {self.replay_id}"
