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

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.slug
