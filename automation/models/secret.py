"""Secret: a text that steps send to services as `secrets.<name>` and that nobody reads back."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from automation.models.variable import LONGEST_NAME
from brainops.core import clock
from brainops.core.fields import EncryptedTextField, JsonField


class Secret(models.Model):
    """One secret. `value` is encrypted at rest and never answered.

    `hosts` are the only hosts it is sent to (security rule R4); empty: any. `expires_on` is a note for people: what
    the service has let expire still has to be replaced by hand. `revision` counts its changes from 1.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(max_length=LONGEST_NAME)
    value = EncryptedTextField()
    description = models.TextField(blank=True, default="", db_default="")
    hosts = JsonField(default=list, blank=True)  # list of "api.example.com", "*.example.com", "10.0.0.7:8443"
    expires_on = models.DateField(null=True, blank=True)
    revision = models.PositiveIntegerField(default=1, db_default=1, editable=False)
    value_set_at = models.DateTimeField(db_default=Now(), editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)  # to the minute
    last_used_by = models.ForeignKey(
        "automation.Workflow", null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["name"]
        # also the look-up of a step's secrets, and the list in the order of names
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="secret_name")]

    def __str__(self) -> str:
        return f"secrets.{self.name}"

    @property
    def is_expired(self) -> bool:
        """True when the day noted by people is over."""
        return self.expires_on is not None and self.expires_on < clock.now().date()
