"""AuditEntry: one thing that was done."""

from __future__ import annotations

import uuid

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F

from brainops.core.fields import JsonField


class ActorKind(models.TextChoices):
    """Who acted."""

    USER = "user", "User"
    API_KEY = "api_key", "API key"
    SYSTEM = "system", "System"  # a schedule, a command, the launcher
    ANONYMOUS = "anonymous", "Anonymous"  # a failed login, a refused webhook


class CurrentTransaction(models.Func):
    """The 64-bit id of the present transaction; it never wraps around (PostgreSQL 13 and later)."""

    template = "(pg_current_xact_id()::text::bigint)"
    output_field = models.BigIntegerField()


class AuditEntry(models.Model):
    """One action, written in the transaction that did it.

    Append-only: a trigger of the database refuses UPDATE, DELETE and TRUNCATE. Ids of actor and target are data, not
    foreign keys, since an entry outlives both. `mac` authenticates the content under a key that is not in the database;
    `transaction_id` gives an order that no later insert can disturb (see `services/sealing.py`).
    """

    id = models.BigAutoField(primary_key=True)
    uid = models.UUIDField(default=uuid.uuid4, editable=False)
    transaction_id = models.BigIntegerField(db_default=CurrentTransaction(), editable=False)
    at = models.DateTimeField(editable=False)
    workspace_id = models.UUIDField(null=True, editable=False)  # null = the installation itself
    actor_kind = models.CharField(max_length=16, choices=ActorKind, editable=False)
    actor_id = models.UUIDField(null=True, editable=False)
    actor_label = models.CharField(max_length=254, editable=False)
    ip = models.GenericIPAddressField(null=True, editable=False)
    request_id = models.CharField(max_length=64, editable=False)
    action = models.CharField(max_length=64, editable=False)  # "workflow.update"
    target_kind = models.CharField(max_length=64, editable=False)  # "workflow"
    target_id = models.CharField(max_length=64, editable=False)
    summary = models.TextField(editable=False)
    changes = JsonField(null=True, editable=False)  # {"name": ["old", "new"]}, secrets masked
    mac = models.BinaryField(max_length=32, editable=False)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "audit entries"
        constraints = [models.UniqueConstraint(fields=["uid"], name="audit_entry_uid")]
        indexes = [
            # the sealer's next entries
            models.Index(fields=["transaction_id", "id"], name="audit_entry_order"),
            # the log of a workspace
            models.Index(F("workspace_id"), F("id").desc(), name="audit_entry_workspace"),
            # the history of one thing
            models.Index(F("target_kind"), F("target_id"), F("id").desc(), name="audit_entry_target"),
            # what one actor did in a workspace
            models.Index(F("workspace_id"), F("actor_id"), F("id").desc(), name="audit_entry_actor"),
            # one kind of action in a workspace
            models.Index(F("workspace_id"), F("action"), F("id").desc(), name="audit_entry_action"),
            # what one request did
            models.Index(fields=["request_id"], name="audit_entry_request", condition=~models.Q(request_id="")),
            # a stretch of time: entries are appended in its order
            BrinIndex(fields=["at"], name="audit_entry_at", pages_per_range=32, autosummarize=True),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.actor_label} {self.action} {self.target_kind} {self.target_id}"
