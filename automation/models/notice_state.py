"""NoticeState and NoticeCause: where each workflow stands for each rule, and what is still to be looked at."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from brainops.core.fields import JsonField


class NoticeState(models.Model):
    """How one workflow stands in the eyes of one rule. Only the decider writes it (`services/notice_decisions.py`).

    `failures` counts since `failing_since`; `unsaid` those that no notice has told yet.
    """

    id = models.BigAutoField(primary_key=True)
    rule = models.ForeignKey("automation.NoticeRule", on_delete=models.CASCADE, related_name="states", db_index=False)
    workflow = models.ForeignKey("automation.Workflow", on_delete=models.CASCADE, related_name="+", db_index=False)
    is_failing = models.BooleanField(default=False)
    failing_since = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)
    unsaid = models.PositiveIntegerField(default=0)
    said_at = models.DateTimeField(null=True, blank=True)
    slow_unsaid = models.PositiveIntegerField(default=0)
    slow_said_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workflow", "rule"], name="notice_state_once")]
        indexes = [
            # the end of a run that succeeded asks whether somebody waits for that
            models.Index(fields=["workflow"], name="notice_failing", condition=Q(is_failing=True)),
        ]

    def __str__(self) -> str:
        return f"{self.workflow_id}: {f'{self.failures} failures' if self.is_failing else 'well'}"


class NoticeCause(models.Model):
    """Something that happened and may have to be told: written together with it, mostly by triggers of the database.

    The decider takes the row away in the transaction that decides. No foreign keys: it lives for a second.
    """

    id = models.BigAutoField(primary_key=True)
    kind = models.TextField()  # run_ended, or what an approval or a schedule has become
    workspace_id = models.UUIDField()
    workflow_id = models.UUIDField()
    run_id = models.BigIntegerField(null=True)
    status = models.SmallIntegerField(null=True)  # of the run that ended
    seconds = models.FloatField(null=True)  # from its first claim to its end
    approval_id = models.UUIDField(null=True)
    asked = JsonField(null=True)  # whom the approval asks now and did not before
    trigger_id = models.UUIDField(null=True)  # of a schedule that should have run
    about = JsonField(null=True)  # what is told about it: since when, and why
    at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            # a run that succeeds while a failure of its workflow is still to be looked at
            models.Index(fields=["workflow_id"], name="notice_cause_failed", condition=Q(status__in=[51, 53])),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {f'run {self.run_id}' if self.run_id else f'trigger {self.trigger_id}'}"
