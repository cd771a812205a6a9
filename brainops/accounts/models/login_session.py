"""LoginSession: one login of the API and the chain of refresh tokens that grew from it."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now


class LoginSession(models.Model):
    """A family of tokens. Only the newest refresh token of it is good.

    A refresh token used a second time means that two parties hold the family: it is revoked as a whole
    (RFC 9700, section 4.14.2). Access tokens name their session, so a revoked one ends at the next request.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="login_sessions")
    refresh_id = models.UUIDField(default=uuid.uuid4, editable=False)  # `jti` of the newest refresh token
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    refreshed_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField(editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_because = models.CharField(max_length=32, blank=True, editable=False)
    # How the person proved who they are (RFC 8176): "pwd", "otp", "sso"; "mfa" stands for a second factor.
    amr = ArrayField(models.CharField(max_length=16), default=list, db_default=models.Value("{}"), editable=False)
    token_version = models.PositiveIntegerField(null=True, editable=False)  # of the user; another one ended the login
    ip = models.GenericIPAddressField(null=True, blank=True, editable=False)
    client = models.CharField(max_length=200, blank=True, editable=False)  # the User-Agent, shortened

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["expires_at"], name="login_session_expiry")]  # the sweep of old rows

    def __str__(self) -> str:
        return f"login of {self.user_id} at {self.created_at:%Y-%m-%d %H:%M}"
