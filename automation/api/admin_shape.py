"""How staff's lists show workflows and runs: with workspace and owner."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rest_framework import serializers

from automation.api.run_schema import RUN_STATUSES, ErrorShape, Timing
from automation.api.run_shape import timing
from automation.engine.status import RunStatus
from automation.models import RunMode, Workflow


class HomeShape(serializers.Serializer[Any]):
    """A workspace."""

    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()


class OwnerShape(serializers.Serializer[Any]):
    """A user."""

    id = serializers.UUIDField()
    email = serializers.CharField()


class AdminWorkflowShape(serializers.Serializer[Any]):
    """A workflow of any workspace, without its document."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    description = serializers.CharField()
    tags = serializers.ListField(child=serializers.CharField())
    is_active = serializers.BooleanField()
    archived_at = serializers.DateTimeField(allow_null=True)
    version = serializers.CharField()
    workspace = HomeShape()
    owner = OwnerShape(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class AdminRunShape(serializers.Serializer[Any]):
    """A run of any workspace."""

    id = serializers.UUIDField()
    workspace = HomeShape()
    workflow_id = serializers.UUIDField()
    workflow_name = serializers.CharField()
    owner = OwnerShape(allow_null=True, help_text="The owner of the workflow.")
    version = serializers.CharField()
    status = serializers.ChoiceField(RUN_STATUSES)
    mode = serializers.ChoiceField([mode.label for mode in RunMode])
    trigger_id = serializers.UUIDField(allow_null=True)
    created_by = serializers.UUIDField(allow_null=True, help_text="The user who asked for it.")
    parent_run_id = serializers.UUIDField(allow_null=True)
    attempt = serializers.IntegerField()
    crashes = serializers.IntegerField()
    error = ErrorShape(allow_null=True)
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    timing = Timing()


def workflow(row: Workflow) -> dict[str, Any]:
    """A workflow with the rows it refers to."""
    home, owner = row.workspace, row.owner
    return {
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "tags": row.tags,
        "is_active": row.is_active,
        "archived_at": row.archived_at,
        "version": row.version,
        "workspace": {"id": home.id, "slug": home.slug, "name": home.name},
        "owner": owner and {"id": owner.id, "email": owner.email},
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }


def run(row: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """A row of `services.everywhere.runs`."""
    owner_id = row["workflow__owner_id"]
    return {
        "id": row["uid"],
        "workspace": {
            "id": row["workspace_id"],
            "slug": row["workspace__slug"],
            "name": row["workspace__name"],
        },
        "workflow_id": row["workflow_id"],
        "workflow_name": row["workflow__name"],
        "owner": owner_id and {"id": owner_id, "email": row["workflow__owner__email"]},
        "version": row["version__number"],
        "status": RunStatus(row["status"]).word,
        "mode": RunMode(row["mode"]).label,
        "trigger_id": row["trigger_id"],
        "created_by": row["created_by_id"],
        "parent_run_id": row["parent_run__uid"],
        "attempt": row["attempt"],
        "crashes": row["crashes"],
        "error": row["data__error"],
        "created_at": row["created_at"],
        "started_at": row["started_at"],
        "finished_at": row["finished_at"],
        "timing": timing(row["created_at"], row["started_at"], row["finished_at"], now),
    }
