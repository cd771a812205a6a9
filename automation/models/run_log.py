"""RunLog: what a run said, line by line."""

from __future__ import annotations

from django.db import models

from brainops.core.fields import JsonField


class RunLog(models.Model):
    """One line of a run's log.

    `seq` grows within a run: number of the claim × 1,000,000 + line, so a resumed run never collides with its
    earlier life.
    """

    pk = models.CompositePrimaryKey("run_id", "seq")
    run = models.ForeignKey("automation.Run", on_delete=models.CASCADE, related_name="logs", db_index=False)
    seq = models.BigIntegerField()
    path = models.TextField(db_default="")
    attempt = models.SmallIntegerField(db_default=1)
    at = models.DateTimeField()
    level = models.TextField(db_default="info")
    message = models.TextField()
    fields = JsonField(null=True, blank=True)

    class Meta:
        ordering = ["seq"]

    def __str__(self) -> str:
        return f"{self.level}: {self.message[:80]}"
