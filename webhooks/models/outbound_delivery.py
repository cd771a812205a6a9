"""OutboundDelivery and OutboundAttempt: one event on its way to one subscription, and each try to bring it there."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from automation.models import DeliveryState
from brainops.core.fields import JsonField


class OutboundDelivery(models.Model):
    """One message of the outbox. Its id is the webhook-id: a repeat can be known by it.

    `next_at` is when it is tried next; while somebody is sending it (`sending_until`), when others may take it for
    lost. `attempts` counts since it was last put on its way.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+", db_index=False)
    subscription = models.ForeignKey(
        "webhooks.Subscription", on_delete=models.CASCADE, related_name="deliveries", db_index=False
    )
    event_id = models.TextField()
    type = models.TextField()
    workflow_id = models.UUIDField(null=True)  # what it is about; the workflow may be gone
    body = JsonField()  # what is posted: type, timestamp, data
    is_test = models.BooleanField(default=False)
    state = models.CharField(max_length=20, choices=DeliveryState, default=DeliveryState.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(db_default=Now())
    sending_until = models.DateTimeField(null=True)
    ends_at = models.DateTimeField()  # when it is given up
    last_error = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name_plural = "outbound deliveries"
        constraints = [
            models.CheckConstraint(name="outbound_state", condition=Q(state__in=DeliveryState.values)),
            models.UniqueConstraint(fields=["subscription", "event_id"], name="outbound_event_once"),
        ]
        indexes = [
            models.Index(fields=["subscription", "-created_at", "-id"], name="outbound_list"),
            # what a subscription is sent next
            models.Index(fields=["subscription", "next_at"], name="outbound_due", condition=Q(state="pending")),
            # how much of it is under way
            models.Index(
                fields=["subscription", "sending_until"],
                name="outbound_under_way",
                condition=Q(sending_until__isnull=False),
            ),
            # whether anything is due at all
            models.Index(fields=["next_at"], name="outbound_next", condition=Q(state="pending")),
            models.Index(fields=["created_at"], name="outbound_age"),  # the sweep
            models.Index(fields=["event_id"], name="outbound_event"),  # where an event went
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.state}"


class OutboundAttempt(models.Model):
    """One try: when it began, how long it took, and what the receiver said.

    `status` is None when no answer came; `error` says why then. `answer` is the start of the body, without secrets.
    """

    id = models.BigAutoField(primary_key=True)
    delivery = models.ForeignKey(OutboundDelivery, on_delete=models.CASCADE, related_name="tries", db_index=False)
    began_at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField()
    status = models.SmallIntegerField(null=True)
    error = models.TextField(blank=True, default="")
    answer = models.TextField(blank=True, default="")
    next_at = models.DateTimeField(null=True)  # when it was to be tried again; None: it was the last one

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["delivery", "id"], name="outbound_attempts")]

    def __str__(self) -> str:
        return f"{self.status or self.error} after {self.duration_ms} ms"
