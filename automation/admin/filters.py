"""Filters of the lists. Each asks for what an index can answer."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest

from automation.engine.status import RunStatus
from automation.looks.states import RUNS
from automation.models import Trigger, Workflow
from automation.services import statistics
from automation.services.run_search import with_unknown
from automation.triggers import all_trigger_kinds
from brainops.accounts.models import User, Workspace

MOST_CHOICES = 50
UNHAPPY = (RunStatus.FAILED, RunStatus.TIMED_OUT)
SPANS = {"1h": ("Last hour", 1), "24h": ("Last 24 hours", 24), "7d": ("Last 7 days", 168), "30d": ("Last 30 days", 720)}


class RunStatusFilter(SimpleListFilter):
    """One status, or everything that went wrong."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Words, the way they stand in addresses."""
        return [("unhappy", "Failed or timed out"), *((status.word, look.word) for status, look in RUNS.items())]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The runs in that status; a word that means nothing finds nothing."""
        value = self.value()
        if value is None:
            return queryset
        if value == "unhappy":
            return queryset.filter(status__in=UNHAPPY)
        return queryset.filter(status__in=[status for status in RunStatus if status.word == value])


class UnknownFilter(SimpleListFilter):
    """Runs with an effect of which nobody knows whether it happened."""

    title = "outcome"
    parameter_name = "unknown"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """One choice: what needs a person's eyes."""
        return [("yes", "Unknown: somebody has to look")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The runs that ended so, or that ask what became of an effect."""
        return queryset.filter(with_unknown()) if self.value() == "yes" else queryset


class CreatedFilter(SimpleListFilter):
    """The last hours or days."""

    title = "created"
    parameter_name = "created"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """From an hour to a month."""
        return [(key, title) for key, (title, _hours) in SPANS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """What was created within the span, on the database's clock."""
        span = SPANS.get(self.value() or "")
        return queryset if span is None else queryset.filter(created_at__gt=Now() - timedelta(hours=span[1]))


class _ById(SimpleListFilter):
    """One of the newest rows of another table, or any one that the address names."""

    column = ""

    def rows(self) -> QuerySet[Any]:
        """What may be chosen, newest first."""
        raise NotImplementedError(f"{type(self).__name__} does not say which rows may be chosen.")

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """At most fifty; the chosen one is among them."""
        found = {str(id_): name for id_, name in self.rows()[:MOST_CHOICES]}
        chosen = as_uuid(request.GET.get(str(self.parameter_name)))
        if chosen and str(chosen) not in found:
            found |= {str(id_): name for id_, name in self.rows().filter(id=chosen)}
        return list(found.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows that belong to it."""
        if self.value() is None:
            return queryset
        chosen = as_uuid(self.value())
        return queryset.filter(**{self.column: chosen}) if chosen else queryset.none()


class WorkflowFilter(_ById):
    """Runs or triggers of one workflow."""

    title = "workflow"
    parameter_name = "workflow"
    column = "workflow_id"

    def rows(self) -> QuerySet[Any]:
        """Workflows by name."""
        return Workflow.objects.order_by("-updated_at").values_list("id", "name")


class WorkspaceFilter(_ById):
    """Rows of one workspace."""

    title = "workspace"
    parameter_name = "workspace"
    column = "workspace_id"

    def rows(self) -> QuerySet[Any]:
        """Workspaces by name."""
        return Workspace.objects.order_by("-created_at").values_list("id", "name")


class OwnerFilter(_ById):
    """Workflows of one person."""

    title = "owner"
    parameter_name = "owner"
    column = "owner_id"

    def rows(self) -> QuerySet[Any]:
        """People who own a workflow."""
        owners = Workflow.objects.exclude(owner=None).values("owner")
        return User.objects.filter(id__in=owners).order_by("email").values_list("id", "email")


class WorkflowStateFilter(SimpleListFilter):
    """Active, paused or archived."""

    title = "state"
    parameter_name = "state"
    states: ClassVar[dict[str, tuple[str, dict[str, Any]]]] = {
        "active": ("Active", {"is_active": True, "archived_at": None}),
        "paused": ("Paused", {"is_active": False, "archived_at": None}),
        "archived": ("Archived", {"archived_at__isnull": False}),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """The words of the pills."""
        return [(key, word) for key, (word, _wanted) in self.states.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The workflows in that state."""
        _word, wanted = self.states.get(self.value() or "", ("", {}))
        return queryset.filter(**wanted)


class TagFilter(SimpleListFilter):
    """Workflows with one tag."""

    title = "tag"
    parameter_name = "tag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """The tags in use."""
        return [(tag, tag) for tag in statistics.tags_in_use(most=MOST_CHOICES)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The workflows that have it."""
        return queryset.filter(tags__contains=[self.value()]) if self.value() else queryset


class StartedByFilter(SimpleListFilter):
    """The kind of trigger that started a run."""

    title = "started by"
    parameter_name = "trigger"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """The kinds of this installation, and people."""
        return [*((kind.key, kind.title) for kind in all_trigger_kinds().values()), ("none", "A person or the API")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The runs it started."""
        if self.value() is None:
            return queryset
        if self.value() == "none":
            return queryset.filter(trigger=None)
        # through the workflows, since runs are indexed by those and not by their triggers
        started = Trigger.objects.filter(kind=self.value())
        workflows = list(started.values_list("workflow_id", flat=True).distinct()[:1000])
        return queryset.filter(workflow_id__in=workflows, trigger__kind=self.value())


def as_uuid(text: str | None) -> UUID | None:
    """The id a text stands for; None when it is none."""
    try:
        return UUID(text or "")
    except ValueError:
        return None
