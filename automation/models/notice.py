"""NoticeRule and NoticeMute: who is told what about which workflows, and who does not want to hear it."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from brainops.core.fields import EncryptedTextField, JsonField


class NoticeScope(models.TextChoices):
    """Which workflows a rule watches."""

    ALL = "all", "all workflows"
    TAG = "tag", "workflows with a tag"
    WORKFLOWS = "workflows", "chosen workflows"


class NoticeChannel(models.TextChoices):
    """How a rule tells it."""

    EMAIL = "email", "e-mail"
    WEBHOOK = "webhook", "signed webhook"
    WORKFLOW = "workflow", "workflow"


class NoticeRule(models.Model):
    """What is told, of which workflows, to whom.

    `events` are words of `engine/notices.py`. `recipients` are addresses, `user:<username>` or `role:<role>`.
    `repeat_minutes` groups what repeats; beyond `max_per_hour` notices the rest of an hour comes as one.
    `hour_began_at` and `hour_count` belong to the decider.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(max_length=200)
    is_active = models.BooleanField(default=True)
    scope = models.CharField(max_length=20, choices=NoticeScope, default=NoticeScope.ALL)
    tag = models.CharField(max_length=200, blank=True, default="")
    workflows = models.ManyToManyField("automation.Workflow", blank=True, related_name="+")
    events = JsonField(default=list)
    channel = models.CharField(max_length=20, choices=NoticeChannel)
    recipients = JsonField(default=list, blank=True)
    url = models.TextField(blank=True, default="")
    secret = EncryptedTextField(null=True, blank=True)  # signs the webhook
    workflow = models.ForeignKey(  # the one that is started
        "automation.Workflow", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    repeat_minutes = models.PositiveIntegerField(default=60)
    slow_seconds = models.PositiveIntegerField(null=True, blank=True)
    max_per_hour = models.PositiveIntegerField(default=20)
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_until = models.TimeField(null=True, blank=True)
    timezone = models.CharField(max_length=64, default="UTC")  # of the quiet hours
    hour_began_at = models.DateTimeField(null=True, blank=True, editable=False)
    hour_count = models.PositiveIntegerField(default=0, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(name="notice_scope", condition=Q(scope__in=NoticeScope.values)),
            models.CheckConstraint(name="notice_channel", condition=Q(channel__in=NoticeChannel.values)),
            models.CheckConstraint(
                name="notice_quiet_hours",
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["workspace", "-created_at", "-id"], name="notice_list"),
            # the end of a run asks whether anybody wants to know
            models.Index(fields=["workspace"], name="notice_active", condition=Q(is_active=True)),
        ]

    def __str__(self) -> str:
        return f"{self.name} by {self.channel}"


class NoticeMute(models.Model):
    """A silence: of a rule, of a rule about one workflow, or of one person's mails. `until` None: for good.

    Without a rule it is about the mails that approvals send to those they ask.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+", db_index=False)
    rule = models.ForeignKey(NoticeRule, null=True, on_delete=models.CASCADE, related_name="mutes")
    workflow = models.ForeignKey("automation.Workflow", null=True, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "rule", "workflow", "user"], nulls_distinct=False, name="notice_mute_once"
            )
        ]

    def __str__(self) -> str:
        return f"quiet until {self.until:%Y-%m-%d %H:%M}" if self.until else "quiet for good"
