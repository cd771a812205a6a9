"""How the API shows workflows and versions."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from rest_framework import serializers

from automation.models import Workflow, WorkflowVersion
from brainops.core.api.etag import entity_tag


class VersionSummary(serializers.Serializer[Any]):
    """A version in a list."""

    id = serializers.UUIDField()
    number = serializers.CharField(help_text="A semantic version: 1.4.2.")
    ordinal = serializers.IntegerField(help_text="1, 2, 3 … in order of saving.")
    name = serializers.CharField()
    note = serializers.CharField(help_text="Why it was made.")
    checksum = serializers.CharField(help_text="SHA-256 of the definition's canonical JSON without `ui`.")
    author = serializers.UUIDField(allow_null=True)
    created_at = serializers.DateTimeField()


class VersionShape(VersionSummary):
    """A version, whole."""

    description = serializers.CharField()
    definition = serializers.DictField()
    tags = serializers.ListField(child=serializers.CharField())
    meta_data = serializers.DictField()


class WorkflowShape(serializers.Serializer[Any]):
    """A workflow in its newest version."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    description = serializers.CharField()
    definition = serializers.DictField(help_text="The workflow document; GET /workflow-schema describes it.")
    tags = serializers.ListField(child=serializers.CharField())
    meta_data = serializers.DictField()
    is_active = serializers.BooleanField(help_text="Whether it starts runs.")
    retention = serializers.DictField(
        allow_null=True, help_text="How long its runs stay, where it differs from the installation's defaults."
    )
    archived_at = serializers.DateTimeField(allow_null=True)
    version = serializers.CharField(help_text="The number of the newest version: 1.4.2.")
    owner = serializers.UUIDField(allow_null=True, help_text="The user who made it.")
    etag = serializers.CharField(help_text="What If-Match must name to change exactly this state.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


WORKFLOW_MEMBERS = tuple(WorkflowShape().fields)
COMPUTED = frozenset({"owner", "etag"})  # members that are no column of the same name


def state_of(workflow: Workflow) -> str:
    """What the ETag names: the version, and the revision since a switch makes no version."""
    return f"{workflow.version}-r{workflow.revision}"


def workflow(row: Workflow, members: Collection[str] = WORKFLOW_MEMBERS) -> dict[str, Any]:
    """A workflow as the API shows it."""
    shown = {name: getattr(row, name) for name in members if name not in COMPUTED}
    if "owner" in members:
        shown["owner"] = row.owner_id
    if "etag" in members:
        shown["etag"] = entity_tag(state_of(row))
    return {name: shown[name] for name in members}


def version_summary(row: WorkflowVersion) -> dict[str, Any]:
    """A version in a list."""
    return {
        "id": row.id,
        "number": row.number,
        "ordinal": row.ordinal,
        "name": row.name,
        "note": row.note,
        "checksum": row.checksum,
        "author": row.author_id,
        "created_at": row.created_at,
    }


def version(row: WorkflowVersion) -> dict[str, Any]:
    """A version, whole."""
    return {
        **version_summary(row),
        "description": row.description,
        "definition": row.definition,
        "tags": row.tags,
        "meta_data": row.meta_data,
    }
