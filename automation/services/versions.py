"""Versions: every saved change of a workflow's content, numbered, never altered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.db.models import Max, QuerySet

from automation.models import Workflow, WorkflowVersion
from automation.services import documents
from automation.services.version_diff import Difference, difference
from automation.services.version_numbers import Bump, is_number, next_number
from automation.services.workflow_drafts import Content
from automation.services.workflow_drafts import content_of as workflow_content
from brainops.accounts.caller import Caller
from brainops.audit.services.history import history_of
from brainops.core.errors import NotFound

MOST_TOLD = 20  # changes by others, in a refusal
NO_CHANGE = ("workflow.export", "workflow.dry_run")  # audited, but the workflow stays as it is


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


@dataclass(frozen=True, slots=True)
class Since:
    """What was done to a workflow since some state of it. `difference` is None when its version is the same still."""

    entries: list[dict[str, Any]]
    difference: Difference | None


def changed_since(workflow: Workflow, number: str, *, steps_back: int) -> Since:
    """Who changed what in the last `steps_back` changes, and the difference to version `number` if it was another."""
    most = min(max(steps_back, 0), MOST_TOLD)
    entries = history_of("workflow", workflow.id, most=most, but=NO_CHANGE) if most else []
    if number == workflow.version or not is_number(number):
        return Since(entries, None)
    version = versions_of(workflow).filter(number=number).first()
    return Since(entries, difference(content_of(version), workflow_content(workflow)) if version else None)


def _versioned(content: dict[str, Any]) -> dict[str, Any]:
    return {**content, "definition": documents.meaning(content["definition"])}
