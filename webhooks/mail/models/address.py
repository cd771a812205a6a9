"""MailAddress: where mail for one trigger is sent to."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

LONGEST_LOCAL_PART = 64  # RFC 5321, 4.5.3.1.1


class MailAddress(models.Model):
    """The address of a trigger of kind `email` that receives mail. Its local part is 125 random bits: unguessable.

    Whether it takes mail is the trigger's `is_active`.
    """

    trigger = models.OneToOneField(
        "automation.Trigger", on_delete=models.CASCADE, primary_key=True, related_name="mail_address"
    )
    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+")
    local_part = models.CharField(max_length=LONGEST_LOCAL_PART, unique=True)  # in lower case; also the look-up
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return self.address

    @property
    def address(self) -> str:
        """The whole address; the local part alone while this installation receives no mail."""
        domain = settings.BRAINOPS_INBOUND_MAIL["domain"]
        return f"{self.local_part}@{domain}" if domain else self.local_part
