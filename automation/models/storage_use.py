"""StorageUse: about how many bytes the runs of a workspace take, for its quota."""

from __future__ import annotations

from django.db import models


class StorageUse(models.Model):
    """The newest measurement. Workspaces without runs have no row."""

    workspace = models.OneToOneField(
        "accounts.Workspace", primary_key=True, on_delete=models.CASCADE, related_name="+", db_column="workspace_id"
    )
    used_bytes = models.BigIntegerField()
    measured_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.used_bytes:,} bytes"
