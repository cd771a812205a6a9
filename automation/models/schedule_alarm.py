"""ScheduleAlarm: a schedule that should have run and has not, from when that was noticed until it runs again."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class AlarmKind(models.TextChoices):
    """What is missed."""

    SLOTS = "slots", "its slots do not run"
    SUCCESS = "success", "no run succeeds"


class ScheduleAlarm(models.Model):
    """One alarm of one schedule. The row is made and taken away together with the notice that tells of it.

    `since` is the slot that should have run, or when the time for a success was over.
    """

    id = models.BigAutoField(primary_key=True)
    trigger = models.ForeignKey("automation.Trigger", on_delete=models.CASCADE, related_name="alarms", db_index=False)
    kind = models.CharField(max_length=20, choices=AlarmKind)
    since = models.DateTimeField()
    reason = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["trigger", "kind"], name="schedule_alarm_once")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.trigger_id} since {self.since.isoformat()}"
