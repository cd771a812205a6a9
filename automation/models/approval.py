"""Approval and ApprovalVote: a question a run waits for, and the answers of people."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from brainops.core.fields import JsonField


class ApprovalKind(models.TextChoices):
    """What is asked."""

    APPROVAL = "approval", "approval"
    UNKNOWN = "unknown", "unknown outcome"


class ApprovalState(models.TextChoices):
    """Where an approval stands; all but pending are final."""

    PENDING = "pending", "pending"
    APPROVED = "approved", "approved"
    REJECTED = "rejected", "rejected"
    EXPIRED = "expired", "expired"
    WITHDRAWN = "withdrawn", "withdrawn"  # its run ended first; written by whoever finds it so
    HAPPENED = "happened", "happened"  # answers to the question what became of an effect
    REPEAT = "repeat", "repeat"
    FAIL = "fail", "fail"


class Approval(models.Model):
    """One question of one step of one run. Pending while its run has not ended; otherwise withdrawn.

    `assignees` are `user:<username>`, `role:<role>` or `group:<name>`; empty: whoever may decide in the workspace.
    `form` is a JSON Schema for `data`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+")
    run = models.ForeignKey("automation.Run", on_delete=models.CASCADE, related_name="approvals")
    path = models.TextField()
    number = models.SmallIntegerField(db_default=1)  # the attempt that asked
    kind = models.CharField(max_length=20, choices=ApprovalKind, db_default=ApprovalKind.APPROVAL)
    state = models.CharField(max_length=20, choices=ApprovalState, db_default=ApprovalState.PENDING)
    title = models.TextField()
    message = models.TextField(blank=True, db_default="")
    assignees = JsonField(default=list, blank=True)
    quorum = models.SmallIntegerField(db_default=1)
    form = JsonField(null=True, blank=True)
    data = JsonField(null=True, blank=True)
    comment = models.TextField(blank=True, db_default="")
    decided_by = models.TextField(blank=True, db_default="")
    decided_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    escalates_at = models.DateTimeField(null=True, blank=True)
    escalate_to = JsonField(default=list, blank=True)
    reminded_at = models.DateTimeField(null=True, blank=True)  # those asked were told that its time runs out
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["run", "path", "number"], name="approval_once")]
        indexes = [
            models.Index(fields=["workspace", "-created_at", "-id"], name="approval_list"),
            models.Index(
                fields=["escalates_at"],
                name="approval_escalation",
                condition=Q(state="pending", escalates_at__isnull=False),
            ),
            models.Index(
                fields=["expires_at"],
                name="approval_expiry",
                condition=Q(state="pending", expires_at__isnull=False),
            ),
            # what waits for people; everything decided stays out of it
            models.Index(
                fields=["workspace", "-created_at", "-id"], name="approval_open", condition=Q(state="pending")
            ),
        ]
        permissions = [("decide_approval", "Can decide approval")]

    def __str__(self) -> str:
        return f"{self.title} {self.state}"


class ApprovalVote(models.Model):
    """One person's answer; the last word of `quorum` people decides."""

    id = models.BigAutoField(primary_key=True)
    approval = models.ForeignKey(Approval, on_delete=models.CASCADE, related_name="votes")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    voter = models.TextField()  # the name it was given under, kept when the user goes
    verdict = models.CharField(max_length=20, choices=ApprovalState)
    comment = models.TextField(blank=True, db_default="")
    data = JsonField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["approval", "voter"], name="approval_vote_once")]

    def __str__(self) -> str:
        return f"{self.voter}: {self.verdict}"
