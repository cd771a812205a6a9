"""RunStatistic: what happened on one day, kept when the runs themselves are pruned."""

from __future__ import annotations

from django.db import models


class RunStatistic(models.Model):
    """Ended and pruned runs of one workflow, one UTC day, one final status. Live runs are counted from their rows."""

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+", db_index=False)
    workflow = models.ForeignKey("automation.Workflow", on_delete=models.CASCADE, related_name="+", db_index=False)
    day = models.DateField()
    status = models.SmallIntegerField()
    runs = models.BigIntegerField(db_default=0)
    steps = models.BigIntegerField(db_default=0)
    total_seconds = models.FloatField(db_default=0.0)
    longest_seconds = models.FloatField(db_default=0.0)

    class Meta:
        ordering = ["-day"]
        constraints = [models.UniqueConstraint(fields=["workflow", "day", "status"], name="run_statistic_once")]
        indexes = [models.Index(fields=["workspace", "-day"], name="run_statistic_list")]

    def __str__(self) -> str:
        return f"{self.day}: {self.runs}"
