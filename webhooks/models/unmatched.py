"""UnmatchedRequest: one request to an address that is no webhook's, for the staff of the installation."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from brainops.core.fields import JsonField
from webhooks.event_ids import new_event_id


class UnmatchedRequest(models.Model):
    """What a stranger sent to an address that nobody has, or that was deleted. Belongs to no workspace.

    Anybody can make these, so only some a minute are stored, and only the newest stay.
    """

    id = models.UUIDField(primary_key=True, default=new_event_id, editable=False)
    reason = models.TextField()  # stable code: unknown_webhook, unknown_test_address, not_listening
    method = models.TextField()
    address = models.TextField()  # the path as it came, shortened
    content_type = models.TextField(db_default="")
    headers = JsonField(default=dict)  # lower-case names, secrets masked
    body = models.BinaryField()  # the head of it
    size_bytes = models.IntegerField()
    remote_addr = models.GenericIPAddressField(null=True, blank=True)
    omitted = models.IntegerField(db_default=0)  # such requests before this one that were counted, not stored
    received_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-received_at", "-id"]
        indexes = [
            # the admin's list, and which ones are too many
            models.Index(fields=["-received_at", "-id"], name="unmatched_list"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.address}"
