"""Subscription: an address outside that wants to hear of events of a workspace."""

from __future__ import annotations

import uuid

import orjson
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from brainops.core.fields import EncryptedTextField, JsonField


class OffReason(models.TextChoices):
    """Why a subscription hears nothing."""

    PERSON = "person", "switched off"  # by somebody
    GONE = "gone", "the receiver answered 410"
    FAILING = "failing", "nothing arrived for days"


class Subscription(models.Model):
    """Which events are posted where. Its deliveries stand in OutboundDelivery.

    `types` are event types or patterns (`run.*`). With `workflow_ids` or `tags` only events about these workflows are
    sent; ids stay when a workflow goes, for without any of them the subscription would hear of all. `failures` counts
    attempts that failed since the last one that did not; until `held_until` nothing is sent.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+", db_index=False)
    description = models.CharField(max_length=200, blank=True, default="")
    url = models.TextField()
    types = JsonField(default=list)
    workflow_ids = JsonField(default=list, blank=True)
    tags = JsonField(default=list, blank=True)
    is_active = models.BooleanField(default=True)
    off_reason = models.CharField(max_length=20, choices=OffReason, blank=True, default="")
    off_at = models.DateTimeField(null=True, blank=True)
    header_names = JsonField(default=list, blank=True)  # what is shown of the headers
    headers = EncryptedTextField(null=True, blank=True)  # names and values as a JSON object
    secret = EncryptedTextField()
    previous_secret = EncryptedTextField(null=True, blank=True)  # signs as well until `previous_valid_until`
    previous_valid_until = models.DateTimeField(null=True, blank=True)
    rotated_at = models.DateTimeField(null=True, blank=True)
    max_parallel = models.PositiveSmallIntegerField(default=4)  # deliveries under way at once
    failures = models.PositiveIntegerField(default=0, editable=False)
    failing_since = models.DateTimeField(null=True, blank=True, editable=False)
    held_until = models.DateTimeField(null=True, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                name="subscription_off_reason",
                condition=Q(is_active=True, off_reason="") | Q(is_active=False, off_reason__in=OffReason.values),
            ),
            models.CheckConstraint(  # half a rotation would leave a secret that never ends
                name="subscription_rotation",
                condition=Q(previous_secret__isnull=True, previous_valid_until__isnull=True)
                | Q(previous_secret__isnull=False, previous_valid_until__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["workspace", "-created_at", "-id"], name="subscription_list"),
            # each event asks who wants to hear of it
            models.Index(fields=["workspace"], name="subscription_active", condition=Q(is_active=True)),
        ]

    @property
    def header_values(self) -> dict[str, str]:
        """The headers with their values; they are decrypted for it."""
        return dict(orjson.loads(self.headers)) if self.headers else {}

    def __str__(self) -> str:
        return f"{self.description or self.url} hears of {', '.join(self.types)}"
