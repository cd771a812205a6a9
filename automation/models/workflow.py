"""Workflow: what people name, edit and switch on."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Now

from brainops.core.fields import JsonField


class Workflow(models.Model):
    """A workflow and its newest state. What runs is always one immutable WorkflowVersion of it.

    `revision` counts every change of the row, whether or not it made a version; the ETag is made from it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="workflows")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="workflows"
    )
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True, default="")
    definition = JsonField()
    tags = JsonField(default=list, blank=True)  # list of strings
    meta_data = JsonField(default=dict, blank=True)
    retention = JsonField(null=True, blank=True)  # how long its runs stay; null: the settings' defaults
    is_active = models.BooleanField(default=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    version = models.CharField(max_length=32, default="1.0.0")  # semantic version string of the newest version
    current_version = models.ForeignKey(
        "automation.WorkflowVersion", null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    revision = models.PositiveIntegerField(default=1, editable=False)
    # what the file that it was imported from calls it: the same file again finds it, whatever its name became
    source_key = models.CharField(max_length=100, null=True, blank=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            # GET /workflows: newest first within the caller's workspace
            models.Index(fields=["workspace", "-created_at", "-id"], name="workflow_list"),
            # staff's list over all workspaces
            models.Index(fields=["-created_at", "-id"], name="workflow_newest"),
            # GET /workflows?tag=…, GET /tags
            GinIndex(fields=["tags"], name="workflow_tags"),
            # a call or a failure handler names a workflow
            models.Index(fields=["workspace", "name"], name="workflow_name"),
        ]
        constraints = [models.UniqueConstraint(fields=["workspace", "source_key"], name="workflow_source_once")]
        permissions = [("run_workflow", "Can run workflow")]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"
