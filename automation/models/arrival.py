"""Arrival: the ledger of what reached triggers. One row per thing, however often it is shown."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from brainops.core.fields import JsonField


class ArrivalDecision(models.IntegerChoices):
    """What became of an arrival. Those that wait are decided anew when they are brought again."""

    RAN = 1, "ran"
    CONDITION = 2, "condition false"  # `operands` say with which values
    SKIPPED = 3, "skipped first"  # it was there before the trigger
    INACTIVE = 4, "inactive"  # the trigger or its workflow was switched off
    REFUSED = 5, "refused"  # it does not fit the workflow's inputs; `reason` says why
    FULL = 6, "limit full"  # waits: the workflow's limit let no further run in
    OVER_QUOTA = 7, "over quota"  # waits: the workspace has had its runs of the day, or its storage is full
    FAILED = 8, "condition failed"  # the condition could not be evaluated with it
    LEFT_OUT = 9, "left out"  # the limit was full and `when_full` says skip


WAITING = frozenset({ArrivalDecision.FULL, ArrivalDecision.OVER_QUOTA})


class Arrival(models.Model):
    """The decision about one thing that a trigger found or was brought. (trigger, key) makes it one run at most.

    `data` is a sample for people: cut when it is large, and forgotten before the row is. `handle` is kept until the
    source was told that the thing is taken. `seen_at` is when its source showed it last, to the day.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)  # in the order of arrival
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+", db_index=False)
    trigger = models.ForeignKey("automation.Trigger", on_delete=models.CASCADE, related_name="arrivals", db_index=False)
    key = models.TextField()
    decision = models.SmallIntegerField(choices=ArrivalDecision)
    run_uid = models.UUIDField(null=True, blank=True)
    reason = models.TextField(blank=True, db_default="")
    operands = JsonField(null=True, blank=True)  # of a condition that did not hold
    data = JsonField(null=True, blank=True)
    is_cut = models.BooleanField(db_default=False)
    facts = JsonField(null=True, blank=True)  # what else a run sees in `trigger`
    handle = JsonField(null=True, blank=True)
    at = models.DateTimeField(null=True, blank=True)  # when it came about, as its source says
    created_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["trigger", "key"], name="arrival_once")]
        indexes = [
            models.Index(fields=["trigger", "-created_at", "-id"], name="arrival_list"),  # also what health counts
            models.Index(fields=["workspace", "-created_at", "-id"], name="arrival_recent"),
            # what a source is still to be told
            models.Index(fields=["trigger", "id"], name="arrival_unsettled", condition=Q(handle__isnull=False)),
            models.Index(fields=["seen_at"], name="arrival_age"),  # the sweep of rows
            # the sweep of samples
            models.Index(fields=["created_at"], name="arrival_sample_age", condition=Q(data__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.key[:60]} {ArrivalDecision(self.decision).label}"
