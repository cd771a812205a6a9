"""Transfer: one export or import that takes longer than a request. Its file stands in the database, in chunks."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from brainops.core.fields import JsonField


class Direction(models.TextChoices):
    """Out of the workspace, or into it."""

    EXPORT = "export", "export"
    IMPORT = "import", "import"


class TransferState(models.TextChoices):
    """Where a transfer stands. `uploading`: the file of an import is still coming in."""

    UPLOADING = "uploading", "uploading"
    QUEUED = "queued", "queued"
    RUNNING = "running", "running"
    DONE = "done", "done"
    FAILED = "failed", "failed"


class Transfer(models.Model):
    """One export or import. `options` is what was asked and who asked; `counts` what came of it.

    A process that works on it holds it until `held_until`; `fence` rises with each that takes it up, and only the
    newest may write. `total` and `done` count workflows; `position` is where an export goes on.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+", db_index=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    direction = models.CharField(max_length=10, choices=Direction)
    format = models.CharField(max_length=10)
    options = JsonField(default=dict)
    state = models.CharField(max_length=20, choices=TransferState, db_default=TransferState.QUEUED)
    total = models.IntegerField(db_default=0)
    done = models.IntegerField(db_default=0)
    counts = JsonField(default=dict)
    position = JsonField(null=True, blank=True)
    size = models.BigIntegerField(db_default=0)  # bytes of the file
    checksum = models.CharField(max_length=64, blank=True, default="", db_default="")  # of the workflows in the file
    error = JsonField(null=True, blank=True)
    fence = models.IntegerField(db_default=0)
    held_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["workspace", "direction", "-created_at", "-id"], name="transfer_list"),
            models.Index(fields=["created_at"], name="transfer_due", condition=Q(state__in=["queued", "running"])),
            models.Index(fields=["expires_at"], name="transfer_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.direction} {self.id} {self.state}"


class TransferChunk(models.Model):
    """One piece of a transfer's file."""

    pk = models.CompositePrimaryKey("transfer_id", "seq")
    transfer = models.ForeignKey(Transfer, on_delete=models.CASCADE, related_name="chunks", db_index=False)
    seq = models.IntegerField()
    data = models.BinaryField()

    def __str__(self) -> str:
        return f"chunk {self.seq} of transfer {self.transfer_id}"


class TransferItem(models.Model):
    """What an import did with one workflow of its file. `index` is its place there, from 0."""

    id = models.BigAutoField(primary_key=True)
    transfer = models.ForeignKey(Transfer, on_delete=models.CASCADE, related_name="items", db_index=False)
    index = models.IntegerField()
    action = models.CharField(max_length=12)
    report = JsonField(default=dict)

    class Meta:
        ordering = ["index"]
        constraints = [models.UniqueConstraint(fields=["transfer", "index"], name="transfer_item_once")]

    def __str__(self) -> str:
        return f"workflow {self.index} of transfer {self.transfer_id}: {self.action}"
