"""Who listens to events, what is still to be told, and where each event went: EventWish, QueuedEvent, EventDelivery."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from brainops.core.fields import JsonField


class EventWish(models.Model):
    """That a holder of a listener (a trigger, a subscription) wants the events of a type, or of `prefix*`.

    Where a workspace has no row that fits, an event is kept for those who look it up and nothing else is done.
    Triggers of the database write the rows of triggers; other listeners do it with `services/event_listeners.py`.
    """

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+", db_index=False)
    listener = models.TextField()
    holder = models.UUIDField()
    type = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "listener", "holder", "type"], name="event_wish_once")
        ]
        indexes = [models.Index(fields=["holder"], name="event_wish_holder")]  # forget the wishes of one

    def __str__(self) -> str:
        return f"{self.listener} {self.holder}: {self.type}"


class QueuedEvent(models.Model):
    """Something that happened and is still to be told to listeners. It stands in the transaction in which it happened.

    The dispatcher takes the row away in the transaction that tells it. Without an `event_id` the event is made then,
    from the run or the thing that it is about. No foreign keys: it lives for a second.
    """

    id = models.BigAutoField(primary_key=True)
    workspace_id = models.UUIDField()
    type = models.TextField()
    event_id = models.UUIDField(null=True)
    run_id = models.BigIntegerField(null=True)
    about = JsonField(null=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        # the dispatcher takes some of each workspace, the oldest first
        indexes = [models.Index(fields=["workspace_id", "id"], name="queued_event_next")]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id or self.run_id or ''}"


class EventDeliveryState(models.TextChoices):
    """Where the delivery of an event to a trigger stands."""

    PENDING = "pending", "pending"
    RAN = "ran", "ran"
    SKIPPED = "skipped", "skipped"  # as the trigger or its workflow asks; `code` and `reason` say why
    DEAD = "dead", "dead letter"  # given up; somebody may deliver it again or discard it
    DISCARDED = "discarded", "discarded"


class EventDelivery(models.Model):
    """One event on its way to one trigger. Both together make it at most one run.

    `position` keeps the order of the events. `repeats` counts how often somebody asked for it again. `next_at` is when
    it is tried next.
    """

    id = models.UUIDField(
        primary_key=True, default=uuid.uuid4, db_default=models.Func(function="gen_random_uuid"), editable=False
    )
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+", db_index=False)
    event = models.ForeignKey("automation.Event", on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    trigger = models.ForeignKey("automation.Trigger", on_delete=models.CASCADE, related_name="+")
    position = models.BigIntegerField()
    state = models.CharField(max_length=20, choices=EventDeliveryState, db_default=EventDeliveryState.PENDING)
    attempts = models.PositiveIntegerField(db_default=0)
    repeats = models.PositiveIntegerField(db_default=0)
    next_at = models.DateTimeField(db_default=Now())
    code = models.TextField(blank=True, db_default="")
    reason = models.TextField(blank=True, db_default="")
    run_uid = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name_plural = "event deliveries"
        constraints = [
            models.UniqueConstraint(fields=["event", "trigger"], name="event_delivered_once"),
            models.CheckConstraint(name="event_delivery_state", condition=Q(state__in=EventDeliveryState.values)),
        ]
        indexes = [
            # what is delivered next
            models.Index(fields=["next_at", "position"], name="event_delivery_next", condition=Q(state="pending")),
            models.Index(fields=["workspace", "-created_at", "-id"], name="event_delivery_list"),
            # the dead letters of a workspace
            models.Index(
                fields=["workspace", "-created_at", "-id"], name="event_delivery_dead", condition=Q(state="dead")
            ),
        ]

    def __str__(self) -> str:
        return f"event {self.event_id} to trigger {self.trigger_id}: {self.state}"
