"""Payload: a large value of a run, kept beside the hot rows, compressed and checksummed."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class Payload(models.Model):
    """One value of one run. `sha256` (hex, of the JSON text) names it; `size` is the text's length in bytes."""

    pk = models.CompositePrimaryKey("run_id", "sha256")
    run = models.ForeignKey("automation.Run", on_delete=models.CASCADE, related_name="payloads", db_index=False)
    sha256 = models.CharField(max_length=64)
    size = models.IntegerField()
    codec = models.CharField(max_length=10)
    data = models.BinaryField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return f"{self.sha256[:12]} of run {self.run_id}"
