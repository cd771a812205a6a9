"""ApiKey: a program's key to one workspace."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from brainops.accounts.models.membership import Role


class ApiKey(models.Model):
    """A key of a user for one workspace. The key itself is shown once; only its SHA-256 is stored.

    SHA-256 without salt is enough: the key holds 256 random bits, so there is nothing to guess. It acts with the lower
    of its own role and its user's role in the workspace, and dies with the membership.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="api_keys")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100, help_text="What uses it: “deploy script”, “shop backend”.")
    prefix = models.CharField(max_length=16, unique=True, editable=False)  # finds the row; not secret
    digest = models.BinaryField(max_length=32, editable=False)
    role = models.CharField(max_length=16, choices=Role, default=Role.VIEWER)
    scopes = ArrayField(models.CharField(max_length=64), default=list)  # "runs:execute", "workflows:*", "*"
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    networks = ArrayField(  # CIDR texts; none: from anywhere
        models.CharField(max_length=49), default=list, db_default=models.Value("{}"), blank=True
    )
    # The key that takes this one's place: both are good until this one expires.
    replaced_by = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)  # to the minute

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "API key"
        verbose_name_plural = "API keys"
        constraints = [models.CheckConstraint(condition=models.Q(role__in=Role.values), name="api_key_role")]

    def __str__(self) -> str:
        return f"{self.name} (bo_{self.prefix}_…)"
