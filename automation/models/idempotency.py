"""IdempotencyKey: a caller's key, the request it stood for and the answer it got."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from brainops.core.fields import JsonField


class IdempotencyKey(models.Model):
    """One `Idempotency-Key` of one caller. Kept for 24 hours.

    `caller` is `user:<id>` or `key:<id>`; `body_hash` is the SHA-256 of method, path and body;
    `answer` is None while the first request is still being answered.
    """

    pk = models.CompositePrimaryKey("workspace_id", "caller", "key")
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+", db_index=False)
    caller = models.TextField()
    key = models.TextField()
    body_hash = models.BinaryField(max_length=32)
    status = models.SmallIntegerField(null=True)
    answer = JsonField(null=True)
    headers = JsonField(default=dict)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["created_at"], name="idempotency_age")]  # pruned by age

    def __str__(self) -> str:
        return f"{self.caller} {self.key}"
