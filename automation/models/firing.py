"""Firing: the ledger of schedule slots. One row per slot, whoever ticks."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class FiringDecision(models.IntegerChoices):
    """What became of a slot."""

    RAN = 1, "ran"
    MISSED = 2, "missed"  # came due while nobody was there to fire it; the policy said skip
    INACTIVE = 3, "inactive"  # the workflow was switched off
    REFUSED = 4, "refused"  # the trigger's inputs do not fit the workflow any more; `reason` says why
    FULL = 5, "limit full"  # the workflow's limit let no further run in; `reason` says how full it was
    OVER_QUOTA = 6, "over quota"  # the workspace has had its runs of the day, or its storage is full; `reason` says so
    OVERLAP = 7, "overlapped"  # a run of the trigger was still under way; `reason` names it
    CONDITION = 8, "condition false"  # the trigger's condition did not hold; `reason` says with which values
    QUEUED = 9, "queued"  # waits until the trigger's older runs have ended
    OVERFLOW = 10, "queue full"  # as many slots as may wait did so already; `reason` says how many


class Firing(models.Model):
    """The decision about one slot of one trigger. The primary key makes it exactly once."""

    pk = models.CompositePrimaryKey("trigger_id", "slot")
    trigger = models.ForeignKey("automation.Trigger", on_delete=models.CASCADE, related_name="firings", db_index=False)
    slot = models.DateTimeField()
    decision = models.SmallIntegerField(choices=FiringDecision)
    run_uid = models.UUIDField(null=True, blank=True)
    reason = models.TextField(blank=True, db_default="")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-slot"]
        indexes = [
            models.Index(fields=["-slot"], name="firing_recent"),  # the ledger's page; pruned by age
            # which slots wait for older runs; few
            models.Index(fields=["trigger", "slot"], name="firing_queued", condition=models.Q(decision=9)),
        ]

    def __str__(self) -> str:
        return f"{self.slot.isoformat()} {FiringDecision(self.decision).label}"
