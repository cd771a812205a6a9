"""WebhookEndpoint: an address that starts runs of one workflow, and the secret its senders prove themselves with."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models.functions import Now

from brainops.core.fields import EncryptedTextField, JsonField


class AnswerMode(models.TextChoices):
    """What a verified delivery is answered."""

    ACCEPTED = "accepted", "202 at once, with the run's address"
    RESPOND = "respond", "what the run's `respond` step says"
    LAST_STEP = "last_step", "the run's output"
    REDIRECT = "redirect", "another address, at once"
    FILE = "file", "the file that is the run's output"
    STREAM = "stream", "the run's progress, line by line, until it ends"


class WebhookEndpoint(models.Model):
    """The receiving side of a trigger of kind `webhook`. Its id is the address: 122 random bits.

    Whether it listens is the trigger's `is_active`. Each change raises `revision`: what processes remember about an
    endpoint is good only for the revision they read. `test_id` is the address for trying, which says nothing about the
    other one and listens only until `listens_until`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="webhook_endpoints")
    trigger = models.OneToOneField("automation.Trigger", on_delete=models.CASCADE, related_name="webhook_endpoint")
    scheme = models.CharField(max_length=50)
    options = JsonField(default=dict, db_default=models.Value({}, models.JSONField()), blank=True)  # the scheme's own
    secret = EncryptedTextField(null=True, blank=True)  # None for a scheme without one
    previous_secret = EncryptedTextField(null=True, blank=True)  # good until `previous_valid_until`
    previous_valid_until = models.DateTimeField(null=True, blank=True)
    rotated_at = models.DateTimeField(null=True, blank=True, editable=False)
    answer = models.CharField(max_length=16, choices=AnswerMode, default=AnswerMode.ACCEPTED)
    wait_seconds = models.PositiveSmallIntegerField(default=20)  # how long a caller waits for a `respond` step
    tolerance_seconds = models.PositiveIntegerField(default=300)  # of a sender's clock, both ways
    max_body_bytes = models.PositiveIntegerField()
    event_types = JsonField(default=list, blank=True)  # event types that start runs; empty = all
    revision = models.PositiveIntegerField(default=1, editable=False)
    test_id = models.UUIDField(db_default=RandomUUID(), unique=True, editable=False)
    listens_until = models.DateTimeField(null=True, blank=True, editable=False)  # the test address
    listen_starts_runs = models.BooleanField(db_default=False, editable=False)  # test runs of the newest version
    is_buffering = models.BooleanField(db_default=False, editable=False)  # events wait to be released in their order
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(name="endpoint_answer", condition=models.Q(answer__in=AnswerMode.values)),
            models.CheckConstraint(  # half a rotation would leave a secret that never ends
                name="endpoint_rotation",
                condition=models.Q(previous_secret__isnull=True, previous_valid_until__isnull=True)
                | models.Q(previous_secret__isnull=False, previous_valid_until__isnull=False),
            ),
        ]
        indexes = [
            # GET /webhooks: newest first within the caller's workspace
            models.Index(fields=["workspace", "-created_at", "-id"], name="endpoint_list"),
            # whose events may be released, looked for each second
            models.Index(fields=["id"], name="endpoint_buffering", condition=models.Q(is_buffering=True)),
        ]

    def __str__(self) -> str:
        return f"{self.scheme} webhook {self.id}"

    @property
    def has_secret(self) -> bool:
        """True when one is stored. Nothing is decrypted to say so."""
        if "secret" in self.get_deferred_fields():
            return WebhookEndpoint.objects.filter(pk=self.pk, secret__isnull=False).exists()
        return self.__dict__.get("secret") is not None

    @property
    def path(self) -> str:
        """Where senders post to, on this host."""
        return f"{settings.BRAINOPS_API_PREFIX}/webhooks/{self.id}/receive"

    @property
    def url(self) -> str:
        """The whole address that is entered at the sender."""
        return f"{settings.BRAINOPS_PUBLIC_URL}{self.path}"

    @property
    def test_path(self) -> str:
        """Where deliveries are tried, on this host."""
        return f"{settings.BRAINOPS_API_PREFIX}/webhooks/test/{self.test_id}"

    @property
    def test_url(self) -> str:
        """The whole address for trying."""
        return f"{settings.BRAINOPS_PUBLIC_URL}{self.test_path}"
