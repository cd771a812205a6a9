"""Source: where a polled trigger stands with what it looks at."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from brainops.core.fields import JsonField


class Source(models.Model):
    """One per trigger of a polling kind. `cursor` is the kind's own: up to where it has looked.

    `next_at` is when it is looked at next; while somebody is looking, when others may take it for lost. None: never,
    the trigger is switched off. `fence` counts those who took it: only the last may write. `is_begun` is False until
    the first look is over. `waits_for` says why things that were found are not taken yet.
    """

    trigger = models.OneToOneField(
        "automation.Trigger", on_delete=models.CASCADE, primary_key=True, related_name="source"
    )
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+", db_index=False)
    cursor = JsonField(null=True, blank=True)
    is_begun = models.BooleanField(db_default=False)
    next_at = models.DateTimeField(null=True, blank=True)
    fence = models.BigIntegerField(db_default=0)
    leased_until = models.DateTimeField(null=True, blank=True)
    is_wanted = models.BooleanField(db_default=False)  # somebody asked for a look while one was under way
    failures = models.IntegerField(db_default=0)  # in a row
    failing_since = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True, db_default="")
    last_error_code = models.TextField(blank=True, db_default="")
    waits_for = models.TextField(blank=True, db_default="")
    waits_since = models.DateTimeField(null=True, blank=True)
    last_polled_at = models.DateTimeField(null=True, blank=True)  # with success
    last_arrived_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            # the tick's look for sources that are due
            models.Index(fields=["next_at"], name="source_due", condition=Q(next_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"source of trigger {self.trigger_id}"
