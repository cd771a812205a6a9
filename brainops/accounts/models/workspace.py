"""Workspace: the wall between tenants."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models.functions import Now


class Workspace(models.Model):
    """Everything a team owns stands in one workspace, and nothing reaches over."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100)
    slug = models.SlugField(max_length=50, unique=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    requires_if_match = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Refuse a save that does not name the state it changes.",
    )
    requires_mfa = models.BooleanField(
        default=False, db_default=False, help_text="Let in only people who logged in with a second factor."
    )
    # Quotas; empty: the installation's default (settings BRAINOPS_QUOTAS).
    max_workflows = models.PositiveIntegerField(null=True, blank=True)
    max_active_triggers = models.PositiveIntegerField(null=True, blank=True)
    max_runs_per_day = models.PositiveIntegerField(null=True, blank=True)
    max_storage_bytes = models.PositiveBigIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.slug
