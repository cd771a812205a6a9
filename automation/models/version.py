"""WorkflowVersion: one immutable state of a workflow. Runs are pinned to it."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from brainops.core.fields import JsonField


class WorkflowVersion(models.Model):
    """What a workflow was after one saved change. Never updated."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+")
    workflow = models.ForeignKey("automation.Workflow", on_delete=models.CASCADE, related_name="versions")
    ordinal = models.PositiveIntegerField()  # 1, 2, 3 … in order of saving
    number = models.CharField(max_length=32)  # semantic version: 1.4.2
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True, default="")
    definition = JsonField()
    tags = JsonField(default=list, blank=True)
    meta_data = JsonField(default=dict, blank=True)
    checksum = models.CharField(max_length=64)  # SHA-256 of the definition's canonical JSON without `ui`
    note = models.CharField(max_length=500, blank=True, default="")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    # of an imported version, what its file says about its making: {"author": label, "created_at": …}
    imported_from = JsonField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["-ordinal"]
        constraints = [
            models.UniqueConstraint(fields=["workflow", "ordinal"], name="version_ordinal_once"),
            models.UniqueConstraint(fields=["workflow", "number"], name="version_number_once"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.number}"
