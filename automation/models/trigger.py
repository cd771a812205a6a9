"""Trigger: what starts runs of a workflow by itself."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from brainops.core.fields import JsonField


class Trigger(models.Model):
    """One trigger of one workflow. `kind` names a file in a `triggers/` folder, `config` is checked by it.

    `next_fire_at` is the next slot of a schedule, None for kinds that do not fire by the clock.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="triggers")
    workflow = models.ForeignKey("automation.Workflow", on_delete=models.CASCADE, related_name="triggers")
    name = models.CharField(max_length=200, blank=True, default="")
    kind = models.CharField(max_length=50)
    config = JsonField(default=dict, blank=True)
    inputs = JsonField(default=dict, blank=True)  # fixed inputs of the runs it starts
    condition = models.TextField(blank=True, default="", db_default="")  # run only if it holds; empty: always
    is_active = models.BooleanField(default=True)
    next_fire_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_fired_at = models.DateTimeField(null=True, blank=True, editable=False)  # the newest slot that was decided
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            # the tick's look for due schedules
            models.Index(
                fields=["next_fire_at"], name="trigger_due", condition=Q(is_active=True, next_fire_at__isnull=False)
            ),
            models.Index(fields=["workspace", "-created_at", "-id"], name="trigger_list"),
            # the consumer's look for what is to be listened to
            models.Index(fields=["kind"], name="trigger_active_kind", condition=Q(is_active=True)),
            # the watch over workflows that are to succeed every so often
            models.Index(
                fields=["id"],
                name="trigger_expects_success",
                condition=Q(is_active=True, config__has_key="success_within"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name or self.id}"
