"""PlannedSlot: a slot of the past that a paced backfill is to run."""

from __future__ import annotations

import uuid

from django.db import models


class PlannedSlot(models.Model):
    """What a replay of slots repeats; gone with its trigger, or when the ledger would have forgotten the slot."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    trigger = models.ForeignKey("automation.Trigger", on_delete=models.CASCADE, related_name="+")
    slot = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["slot"], name="planned_slot_age")]  # the sweep

    def __str__(self) -> str:
        return f"{self.slot.isoformat()} of {self.trigger_id}"
