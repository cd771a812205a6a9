"""StepRun: one durable fact per step of a run."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from automation.engine.status import StepStatus
from brainops.core.fields import JsonField


class StepRun(models.Model):
    """The row of one step. It exists from the first durable fact on; a final one never changes.

    `path` is the step's id, or `loop[17].step` inside a loop. `reason` says why it was skipped or which
    operands decided.
    """

    pk = models.CompositePrimaryKey("run_id", "path")
    run = models.ForeignKey("automation.Run", on_delete=models.CASCADE, related_name="steps", db_index=False)
    path = models.TextField()
    kind = models.TextField(db_default="")
    status = models.SmallIntegerField(choices=[(s.value, s.word) for s in StepStatus])
    attempt = models.SmallIntegerField(db_default=1)
    is_kept = models.BooleanField(db_default=False)  # copied from the run this one retries
    port = models.TextField(null=True, blank=True)
    effect = models.TextField(null=True, blank=True)  # what it did outside: read, create …; null when pure
    output = JsonField(null=True, blank=True)
    output_ref = models.TextField(null=True, blank=True)  # sha256 of a payload; `output` is then its preview
    reason = JsonField(null=True, blank=True)
    error = JsonField(null=True, blank=True)
    until = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["started_at", "path"]
        indexes = [
            # runs with an outcome that nobody knows
            models.Index(fields=["run"], name="steprun_unknown", condition=Q(status=StepStatus.UNKNOWN)),
        ]

    def __str__(self) -> str:
        return f"{self.path} {StepStatus(self.status).word}"

    @property
    def status_word(self) -> str:
        """The status as the API says it."""
        return StepStatus(self.status).word
