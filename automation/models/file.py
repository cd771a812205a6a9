"""StoredFile: what came in as a file, kept in chunks for as long as a run refers to it."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class StoredFile(models.Model):
    """One file of a workspace. `sha256` (hex) and `size` (bytes) are of its content.

    `expires_at` stands while no run refers to it: from then on it is swept, unless one does by that time.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=255)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            # what came since storage was measured
            models.Index(fields=["workspace", "created_at"], name="stored_file_age"),
            # the sweep
            models.Index(fields=["expires_at"], name="stored_file_expiry", condition=Q(expires_at__isnull=False)),
            # the same file again, while no run has taken it
            models.Index(
                fields=["workspace", "sha256"], name="stored_file_unused", condition=Q(expires_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.size:,} bytes)"


class FileChunk(models.Model):
    """One piece of a stored file; all but the last have the same size."""

    pk = models.CompositePrimaryKey("file_id", "seq")
    file = models.ForeignKey(StoredFile, on_delete=models.CASCADE, related_name="chunks", db_index=False)
    seq = models.IntegerField()
    data = models.BinaryField()

    def __str__(self) -> str:
        return f"chunk {self.seq} of file {self.file_id}"


class FileUse(models.Model):
    """A run whose input refers to a file: the file stays as long as the run."""

    pk = models.CompositePrimaryKey("run_id", "file_id")
    run = models.ForeignKey("automation.Run", on_delete=models.CASCADE, related_name="files", db_index=False)
    file = models.ForeignKey(StoredFile, on_delete=models.CASCADE, related_name="uses")

    def __str__(self) -> str:
        return f"file {self.file_id} in run {self.run_id}"
