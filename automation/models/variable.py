"""Variable: a named value that all workflows of a workspace read as `vars.<name>`."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from brainops.core.fields import JsonField

LONGEST_NAME = 64


class Variable(models.Model):
    """One variable: any JSON, plain for all who may read the workspace. `revision` counts its changes from 1."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(max_length=LONGEST_NAME)
    value = JsonField(null=True, blank=True)
    description = models.TextField(blank=True, default="", db_default="")
    revision = models.PositiveIntegerField(default=1, db_default=1, editable=False)
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["name"]
        # also the look-up of a run's variables, and the list in the order of names
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="variable_name")]

    def __str__(self) -> str:
        return f"vars.{self.name}"
