"""Versions: every saved change of a workflow's content, numbered, never altered."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from django.db.models import Max, QuerySet

from automation.models import Workflow, WorkflowVersion
from automation.services import documents
from automation.services.version_numbers import Bump, is_number, next_number
from automation.services.workflow_drafts import Content
from brainops.accounts.caller import Caller
from brainops.core.errors import NotFound


def versions_of(workflow: Workflow) -> QuerySet[WorkflowVersion]:
    """The versions of a workflow, newest first."""
    return WorkflowVersion.objects.filter(workflow=workflow)


def get_version(workflow: Workflow, number: str) -> WorkflowVersion:
    """One version by its number. Raises NotFound."""
    version = versions_of(workflow).filter(number=number).first() if is_number(number) else None
    if version is None:
        raise NotFound
    return version


def content_of(version: WorkflowVersion) -> Content:
    """The content a version holds."""
    return Content(version.name, version.definition, version.description, tuple(version.tags), version.meta_data)


def differ(old: dict[str, Any], new: dict[str, Any]) -> bool:
    """True when two contents are different versions; the canvas alone is no difference."""
    return documents.canonical(_versioned(old)) != documents.canonical(_versioned(new))


def add_next(caller: Caller, workflow: Workflow, *, note: str = "", bump: Bump = Bump.PATCH) -> WorkflowVersion:
    """Make the content of a locked workflow its next version."""
    newest = versions_of(workflow).aggregate(ordinal=Max("ordinal"))["ordinal"] or 0
    workflow.version = next_number(workflow.version, bump)
    workflow.current_version_id = uuid4()
    return add(caller, workflow, version_id=workflow.current_version_id, ordinal=newest + 1, note=note)


def add(caller: Caller, workflow: Workflow, *, version_id: UUID, ordinal: int, note: str = "") -> WorkflowVersion:
    """Write the content of a workflow as version `workflow.version`."""
    return WorkflowVersion.objects.create(
        id=version_id,
        workspace_id=workflow.workspace_id,
        workflow=workflow,
        ordinal=ordinal,
        number=workflow.version,
        name=workflow.name,
        description=workflow.description,
        definition=workflow.definition,
        tags=workflow.tags,
        meta_data=workflow.meta_data,
        checksum=documents.checksum(workflow.definition),
        note=note,
        author_id=caller.user_id,
    )


def _versioned(content: dict[str, Any]) -> dict[str, Any]:
    return {**content, "definition": documents.meaning(content["definition"])}
