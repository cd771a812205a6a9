"""The page that compares two versions of a workflow, place by place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django.contrib.admin import AdminSite
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from automation.looks.wording import pretty
from automation.models import Workflow, WorkflowVersion
from automation.services import versions
from automation.services.json_diff import ABSENT, Change
from automation.services.version_diff import Difference, difference

NOTHING = "–"
MOST_VERSIONS = 200  # to choose from


@dataclass(frozen=True, slots=True)
class Line:
    """One place with what stood and stands there, as text."""

    place: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Part:
    """One step, or what stands around the steps, with its changes."""

    title: str
    word: str  # added, removed, renamed, changed, moved
    lines: tuple[Line, ...] = ()


class VersionPages:
    """Mixed into the admin of workflows."""

    admin_site: ClassVar[AdminSite]

    if TYPE_CHECKING:

        def _workflow(self, request: HttpRequest, id: UUID) -> Workflow: ...

    def versions_view(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """Compare `?before=` with `?after=`; without them the newest version with the one before it."""
        workflow = self._workflow(request, id)
        rows = list(versions.versions_of(workflow).select_related("author").defer("definition")[:MOST_VERSIONS])
        numbers = [row.number for row in rows]
        after = request.GET.get("after") or workflow.version
        before = request.GET.get("before") or _before(numbers, after)
        one, two = _version(workflow, before), _version(workflow, after)
        found = difference(versions.content_of(one), versions.content_of(two))
        context = {
            **self.admin_site.each_context(request),
            "title": f"Versions of {workflow.name}",
            "workflow": workflow,
            "numbers": numbers,
            "before": one,
            "after": two,
            "parts": list(_parts(found)),
            "back": reverse("admin:automation_workflow_page", args=[id]),
        }
        return render(request, "automation/versions.html", context)


def _before(numbers: list[str], after: str) -> str:
    """The version before a version; the first one stands alone."""
    later = numbers.index(after) if after in numbers else 0
    return numbers[min(later + 1, len(numbers) - 1)]


def _version(workflow: Workflow, number: str) -> WorkflowVersion:
    row = versions.versions_of(workflow).select_related("author").filter(number=number[:32]).first()
    if row is None:
        raise Http404
    return row


def _parts(found: Difference) -> Iterator[Part]:
    if found.fields:
        yield Part("Around the steps", "changed", _lines(found.fields))
    yield from (Part(step.id, "added") for step in found.added)
    yield from (Part(step.id, "removed") for step in found.removed)
    yield from (
        Part(f"{step.was} → {step.id}", "renamed", _lines(step.changes, step.pointer)) for step in found.renamed
    )
    yield from (Part(step.id, "changed", _lines(step.changes, step.pointer)) for step in found.changed)
    yield from (Part(step.id, "moved", (Line("place", step.before, step.after),)) for step in found.moved)


def _lines(changes: Iterable[Change], base: str = "") -> tuple[Line, ...]:
    return tuple(
        Line(change.pointer.removeprefix(base) or "/", _text(change.before), _text(change.after)) for change in changes
    )


def _text(value: Any) -> str:
    if value is ABSENT:
        return NOTHING
    return value if isinstance(value, str) else pretty(value)
