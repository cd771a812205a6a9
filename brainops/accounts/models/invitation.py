"""Invitation: an offer of membership, sent to an e-mail address."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower, Now

from brainops.accounts.models.membership import Role


class Invitation(models.Model):
    """An offer to join a workspace. It is open until it is accepted, declined, revoked or expired.

    The link in the mail holds 256 random bits, of which only the SHA-256 is stored. Whoever accepts must own the
    address: the link proves it, so a new user may be made by it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField(max_length=254, help_text="In lower case.")
    role = models.CharField(max_length=16, choices=Role, default=Role.VIEWER)
    digest = models.BinaryField(max_length=32, unique=True, editable=False)
    message = models.CharField(max_length=500, blank=True, help_text="A word to the invited person.")
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    sent_at = models.DateTimeField(null=True, blank=True, editable=False)  # the newest mail
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True, editable=False)
    declined_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="invitation_role"),
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="invitation_email_is_lower_case"),
            # one open offer for an address; a new one replaces it
            models.UniqueConstraint(
                fields=["workspace", "email"],
                condition=models.Q(accepted_at=None, declined_at=None, revoked_at=None),
                name="invitation_open_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email} as {self.role}"
