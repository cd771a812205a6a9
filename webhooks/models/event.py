"""WebhookEvent: one request to an endpoint, kept before it was answered."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from brainops.core.fields import JsonField


class EventVerdict(models.IntegerChoices):
    """What became of a request."""

    ACCEPTED = 1, "accepted"  # started a run
    REJECTED = 2, "rejected"  # refused with a 4xx; `reason` says why
    ACKNOWLEDGED = 3, "acknowledged"  # answered 200 without a run: a ping, or an event the endpoint does not listen to
    BUFFERED = 4, "buffered"  # waits until its trigger and workflow are switched on again, then starts a run


class WebhookEvent(models.Model):
    """A stored request: what came, what was decided and what was answered.

    Only the store's statements write it. `delivery_id` is the sender's name for the delivery; a verified one is taken
    once per endpoint, whatever other requests claim. Of a request that nobody signed only the head of the body is kept.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(  # the endpoint's; no constraint of its own, it would cost a look-up per delivery
        "accounts.Workspace", on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    endpoint = models.ForeignKey(
        "webhooks.WebhookEndpoint", on_delete=models.CASCADE, related_name="events", db_index=False
    )
    verdict = models.SmallIntegerField(choices=EventVerdict)
    status = models.SmallIntegerField()  # the HTTP status of the verdict; a `respond` step may answer another one
    reason = models.TextField(db_default="")  # stable code: signature_wrong, too_old, ping
    detail = models.TextField(db_default="")  # the sentence that was answered
    delivery_id = models.TextField(null=True, blank=True)
    event_type = models.TextField(db_default="")
    method = models.TextField(db_default="POST")
    path = models.TextField(db_default="")  # what came behind the endpoint's own address
    content_type = models.TextField(db_default="")
    headers = JsonField(default=dict)  # lower-case names, secrets masked
    query = JsonField(default=dict)
    body = models.BinaryField()
    size_bytes = models.IntegerField()  # of the body as it came
    remote_addr = models.GenericIPAddressField(null=True, blank=True)
    run_uid = models.UUIDField(null=True, blank=True)
    duplicates = models.IntegerField(db_default=0)  # how often the same delivery came again
    last_duplicate_at = models.DateTimeField(null=True, blank=True)
    omitted = models.IntegerField(db_default=0)  # rejected requests before this one that were counted, not stored
    is_verified = models.BooleanField(db_default=False)  # the sender proved itself, whatever became of it
    is_test = models.BooleanField(db_default=False)
    received_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-received_at", "-id"]
        constraints = [
            models.CheckConstraint(
                name="event_run_iff_accepted",
                condition=Q(verdict=EventVerdict.ACCEPTED, run_uid__isnull=False)
                | (~Q(verdict=EventVerdict.ACCEPTED) & Q(run_uid__isnull=True)),
            ),
            # a delivery is taken once; a stranger cannot use up its id with a request that is refused
            models.UniqueConstraint(
                fields=["endpoint", "delivery_id"],
                condition=~Q(verdict=EventVerdict.REJECTED) & Q(delivery_id__isnull=False),
                name="event_delivery_once",
            ),
        ]
        indexes = [
            # GET /webhooks/{id}/events
            models.Index(F("endpoint"), F("received_at").desc(), F("id").desc(), name="event_list"),
            # which rejected ones are too many
            models.Index(
                F("endpoint"),
                F("received_at").desc(),
                name="event_rejected",
                condition=Q(verdict=EventVerdict.REJECTED),
            ),
            # which ones wait, as they came
            models.Index(
                F("endpoint"),
                F("received_at"),
                F("id"),
                name="event_buffered",
                condition=Q(verdict=EventVerdict.BUFFERED),
            ),
        ]

    def __str__(self) -> str:
        return f"{EventVerdict(self.verdict).label} {self.delivery_id or self.id}"

    @property
    def verdict_word(self) -> str:
        """The verdict as the API says it."""
        return EventVerdict(self.verdict).label

    @property
    def is_truncated(self) -> bool:
        """True when only the head of the body was kept."""
        return len(self.body) < self.size_bytes
