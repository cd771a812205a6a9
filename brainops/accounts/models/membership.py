"""Membership: a user's role in a workspace."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class Role(models.TextChoices):
    """What a member may do, from least to most. Each role may do all that the ones before it may."""

    VIEWER = "viewer", "Viewer"  # looks
    OPERATOR = "operator", "Operator"  # runs, cancels, retries
    BUILDER = "builder", "Builder"  # makes workflows, triggers, webhooks
    ADMIN = "admin", "Admin"  # members and keys
    OWNER = "owner", "Owner"  # everything

    @property
    def rank(self) -> int:
        """0 for Viewer, rising."""
        return _RANKS[self]

    def at_most(self, other: Role) -> Role:
        """The lower of two roles."""
        return self if self.rank <= other.rank else other


_RANKS = {role: rank for rank, role in enumerate(Role)}


class Membership(models.Model):
    """One user in one workspace."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role, default=Role.VIEWER)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["workspace", "user"]
        constraints = [
            models.UniqueConstraint(fields=["user", "workspace"], name="membership_once"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_role"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.workspace} as {self.role}"
