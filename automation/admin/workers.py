"""Workers, to look at: who is there, how busy, and when it was last heard of."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.views import ChangeList

from automation.looks.states import WORKERS
from automation.models import Worker, WorkerState
from automation.services.statistics import with_silence
from brainops.audit.admin.base import ReadOnlyAdmin


class WorkerList(ChangeList):  # type: ignore[misc]  # unfold has no types
    """The rows of a page with their looks."""

    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        """Read the page, then say how each row looks."""
        super().get_results(request)
        self.result_list = [dressed(worker) for worker in self.result_list]


@admin.register(Worker)
class WorkerAdmin(ReadOnlyAdmin):
    """Worker processes. They register, beat and leave by themselves."""

    change_list_template = "automation/worker_list.html"
    list_display = ("name",)
    show_full_result_count = True  # workers are few
    list_display_links = None
    list_filter = ("state",)
    search_fields = ("name", "host")
    ordering = ("state", "-heartbeat_at")
    sortable_by = ()
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Worker]:
        """With the time since the last heartbeat on the database's clock."""
        return with_silence(super().get_queryset(request))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[WorkerList]:
        """The list with looks."""
        return WorkerList


def dressed(worker: Any) -> Any:
    """A worker row with its look and the seconds since its heartbeat."""
    worker.look = WORKERS[WorkerState(worker.state)]
    worker.silent_seconds = worker.silence.total_seconds()
    worker.is_there = worker.state in (WorkerState.LIVE, WorkerState.DRAINING)
    return worker
