"""NoticeDelivery: one notice on its way to one receiver."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from brainops.core.fields import JsonField


class DeliveryState(models.TextChoices):
    """Where a delivery stands; all but pending are final until somebody sends it again."""

    PENDING = "pending", "pending"
    SENT = "sent", "sent"
    FAILED = "failed", "failed"  # given up; `last_error` says why
    DROPPED = "dropped", "dropped"  # nobody to tell any more: left, switched off, muted


class NoticeDelivery(models.Model):
    """One message of the outbox. Its id is the Message-ID and the webhook-id: a repeat can be known by it.

    `notice` is shared by the receivers of one notice. `content` is what it says, the same for every channel. Without a
    rule it is a mail to somebody whom an approval asks. `next_at` is when it is tried next; while somebody is sending
    it, when others may take it for lost.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+", db_index=False)
    rule = models.ForeignKey(
        "automation.NoticeRule", null=True, on_delete=models.CASCADE, related_name="deliveries", db_index=False
    )
    notice = models.UUIDField(default=uuid.uuid4)
    event = models.CharField(max_length=40)
    channel = models.CharField(max_length=20)
    address = models.TextField(blank=True, default="")  # of a mail; of people with an account, as it was then
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    workflow_id = models.UUIDField(null=True)  # what it is about; the workflow may be gone
    content = JsonField()
    is_test = models.BooleanField(default=False)
    state = models.CharField(max_length=20, choices=DeliveryState, default=DeliveryState.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(db_default=Now())
    ends_at = models.DateTimeField(null=True)  # when it is given up
    last_error = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name_plural = "notice deliveries"
        constraints = [models.CheckConstraint(name="delivery_state", condition=Q(state__in=DeliveryState.values))]
        indexes = [
            # what the postman sends next
            models.Index(fields=["next_at"], name="delivery_due", condition=Q(state="pending")),
            models.Index(fields=["rule", "-created_at", "-id"], name="delivery_list"),
            # how many mails a workspace sent within the hour
            models.Index(fields=["workspace", "sent_at"], name="delivery_mails", condition=Q(channel="email")),
            models.Index(fields=["created_at"], name="delivery_age"),  # the sweep
            models.Index(fields=["user"], name="delivery_user", condition=Q(user__isnull=False)),  # who goes
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.state}"
