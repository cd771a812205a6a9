"""RunTally: ended runs counted by the hour, so that figures over weeks never read the runs themselves."""

from __future__ import annotations

from uuid import UUID

from django.db import models

NOBODY = UUID(int=0)


class RunTally(models.Model):
    """Runs of one workflow that ended in one UTC hour alike: status, who asked, and about how long they took.

    `bucket` says how long: from 1.2 ** bucket to 1.2 ** (bucket + 1) seconds; NO_TIME for runs that never started.
    Percentiles are read from the buckets, right to a tenth. Runs that were pruned stay counted.
    """

    NO_TIME = -1000

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+", db_index=False)
    workflow = models.ForeignKey("automation.Workflow", on_delete=models.CASCADE, related_name="+", db_index=False)
    hour = models.DateTimeField()
    status = models.SmallIntegerField()
    created_by_id = models.UUIDField(default=NOBODY)  # the user who asked; zeros: a trigger, or another run
    bucket = models.SmallIntegerField()
    runs = models.BigIntegerField()
    seconds = models.FloatField()  # of all of them, from the first claim to the end
    longest = models.FloatField()  # seconds

    class Meta:
        ordering = ["-hour"]
        verbose_name_plural = "run tallies"
        constraints = [
            models.UniqueConstraint(
                fields=["workflow", "hour", "status", "created_by_id", "bucket"], name="run_tally_once"
            ),
        ]
        indexes = [
            models.Index(fields=["hour"], name="run_tally_hour"),  # figures of the installation
            models.Index(fields=["workspace", "hour"], name="run_tally_list"),  # figures of a workspace
        ]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}: {self.runs}"


class TallyMark(models.Model):
    """Up to where runs are tallied: those that ended before `until`. Later ones are counted from their rows."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"tallied until {self.until:%Y-%m-%d %H:%M:%S}"
