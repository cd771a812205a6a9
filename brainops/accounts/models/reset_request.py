"""ResetRequest: somebody asked for a new password; a worker looks up whether there is anybody to write to."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class ResetRequest(models.Model):
    """A typed address, kept for the second until a worker takes it.

    The request that asks writes this row and nothing else, whether the address is known or not: its answer and its time
    tell nobody who has an account.
    """

    id = models.BigAutoField(primary_key=True)
    email = models.CharField(max_length=254, editable=False)
    ip = models.GenericIPAddressField(null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(db_default=0, default=0, editable=False)  # mails that did not leave
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return f"reset asked at {self.created_at:%H:%M:%S}"
