"""OneTimeToken: proof of something that was just done, good once and for minutes."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from brainops.core.fields import EncryptedTextField, JsonField


class TokenPurpose(models.TextChoices):
    """What a token proves. One made for a purpose is none for another."""

    PASSWORD_RESET = "password_reset", "Password reset"
    SECOND_FACTOR = "second_factor", "Second factor"  # the password was right; the code is still missing
    ENROLMENT = "enrolment", "Enrolment"  # a secret that waits for its first code
    SIGN_ON = "sign_on", "Single sign-on"  # the state of a visit to an identity provider


class OneTimeToken(models.Model):
    """A token of 256 random bits, of which only the SHA-256 is stored. Using it deletes the row."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    purpose = models.CharField(max_length=16, choices=TokenPurpose, editable=False)
    digest = models.BinaryField(max_length=32, unique=True, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    data = JsonField(default=dict, editable=False)
    secret = EncryptedTextField(null=True)  # the PKCE verifier, the secret of an authenticator app
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField(editable=False)

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="one_time_token_expiry")]  # the sweep of old rows
        constraints = [
            models.CheckConstraint(condition=models.Q(purpose__in=TokenPurpose.values), name="token_purpose")
        ]

    def __str__(self) -> str:
        return f"{self.purpose} until {self.expires_at:%H:%M:%S}"
