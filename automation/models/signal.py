"""Signal and Callback: news from outside for one run, and the one-time URLs that carry it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from brainops.core.fields import JsonField


class Signal(models.Model):
    """One signal to one run. `taken_by` is the path of the step that took it; a signal is taken once."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey("automation.Run", on_delete=models.CASCADE, related_name="received_signals")
    name = models.TextField()
    key = models.TextField(null=True, blank=True)  # the sender's: the same one is not taken in twice
    payload = JsonField(null=True, blank=True)
    taken_by = models.TextField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["run", "name", "key"], condition=Q(key__isnull=False), name="signal_once"),
            models.UniqueConstraint(
                fields=["run", "taken_by"], condition=Q(taken_by__isnull=False), name="signal_taken_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} to run {self.run_id}"


class Callback(models.Model):
    """A one-time URL that sends one signal. Only the SHA-256 of its token is stored."""

    token_hash = models.BinaryField(primary_key=True, max_length=32)
    run = models.ForeignKey("automation.Run", on_delete=models.CASCADE, related_name="callbacks")
    path = models.TextField()
    name = models.TextField()
    expires_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "path"], name="callback_once")]

    def __str__(self) -> str:
        return f"callback of {self.path} of run {self.run_id}"
