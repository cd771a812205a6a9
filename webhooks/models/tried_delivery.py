"""TestDelivery: one request to a test address, kept as a sample to build and try a workflow with."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from brainops.core.fields import JsonField
from webhooks.event_ids import new_event_id


class TestDelivery(models.Model):
    """A request that came to a test address while somebody listened, and what the webhook would have said to it.

    Apart from the event log: it takes no name of a delivery from the webhook, and counts nowhere. The newest ones of
    an endpoint stay.
    """

    __test__ = False  # for pytest: a row, not a test

    id = models.UUIDField(primary_key=True, default=new_event_id, editable=False)
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+", db_index=False)
    endpoint = models.ForeignKey(
        "webhooks.WebhookEndpoint", on_delete=models.CASCADE, related_name="test_deliveries", db_index=False
    )
    status = models.SmallIntegerField()  # that the webhook would have answered
    reason = models.TextField(db_default="")  # stable code: signature_wrong, ping; "" when it would have started a run
    detail = models.TextField(db_default="")
    method = models.TextField()
    path = models.TextField(db_default="")
    delivery_id = models.TextField(null=True, blank=True)  # the sender's name for it; may come again
    event_type = models.TextField(db_default="")
    content_type = models.TextField(db_default="")
    headers = JsonField(default=dict)  # lower-case names, secrets masked
    query = JsonField(default=dict)
    body = models.BinaryField()  # the head of it
    size_bytes = models.IntegerField()
    trigger = JsonField(null=True, blank=True)  # what expressions see as `trigger`; null when it was refused
    inputs = JsonField(null=True, blank=True)
    remote_addr = models.GenericIPAddressField(null=True, blank=True)
    run_uid = models.UUIDField(null=True, blank=True)  # of the test run, when those were asked for
    received_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-received_at", "-id"]
        verbose_name_plural = "test deliveries"
        indexes = [
            # GET /webhooks/{id}/test-deliveries, and which ones are too many
            models.Index(fields=["endpoint", "-received_at", "-id"], name="test_delivery_list"),
        ]

    def __str__(self) -> str:
        return f"test of {self.endpoint_id} at {self.received_at}"

    @property
    def is_truncated(self) -> bool:
        """True when only the head of the body was kept."""
        return len(self.body) < self.size_bytes
