"""What the list of workflows shows beside each row: its last runs, its triggers. One query each for the whole page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from unfold.views import ChangeList

from automation.looks.states import RUNS, Look, workflow_look
from automation.models import Trigger
from automation.services import statistics
from automation.services.statistics import RECENT_RUNS, RecentRun
from automation.triggers import all_trigger_kinds

SHORTEST, TALLEST = 5, 22  # of a bar, in pixels; as tall as the run was long
WIDTH, STEP = 4, 6


@dataclass(frozen=True, slots=True)
class Spark:
    """One run as a bar."""

    x: int
    y: float
    height: float
    look: Look


class WorkflowList(ChangeList):
    """The rows of a page, each with what it shows of other tables."""

    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        """Read the page, then everything beside it at once."""
        super().get_results(request)
        self.result_list = list(self.result_list)
        ids = [row.id for row in self.result_list]
        recent, counts = statistics.recent_runs(ids), statistics.run_counts(ids)
        triggers = _triggers(ids)
        for row in self.result_list:
            runs = recent.get(row.id, [])
            row.look = workflow_look(is_active=row.is_active, is_archived=row.archived_at is not None)
            row.sparks = sparks(runs)
            row.last_run = runs[-1] if runs else None
            row.last_look = RUNS[runs[-1].status] if runs else None
            row.runs_in_a_day = counts.get(row.id, 0)
            row.starters = triggers.get(row.id, [])
            row.next_fire_at = min((t.next_fire_at for t in row.starters if t.next_fire_at), default=None)


def sparks(runs: list[RecentRun]) -> list[Spark]:
    """Bars from old to new, the newest at the right edge."""
    longest = max((run.seconds or 0 for run in runs), default=0) or 1
    first = RECENT_RUNS - len(runs)
    return [
        _spark((first + place) * STEP, (run.seconds or 0) / longest, RUNS[run.status]) for place, run in enumerate(runs)
    ]


def _spark(x: int, share: float, look: Look) -> Spark:
    height = round(SHORTEST + (TALLEST - SHORTEST) * share, 1)
    return Spark(x, TALLEST + 1 - height, height, look)


def _triggers(workflow_ids: Iterable[UUID]) -> dict[UUID, list[Any]]:
    """The active triggers of each workflow, with their kind's title and icon."""
    found: dict[UUID, list[Any]] = defaultdict(list)
    rows = Trigger.objects.filter(workflow_id__in=list(workflow_ids), is_active=True)
    for trigger in rows.only("workflow_id", "kind", "next_fire_at"):
        if kind := all_trigger_kinds().get(trigger.kind):
            trigger.kind_title, trigger.icon = kind.title, kind.icon  # type: ignore[attr-defined]  # for the page only
            found[trigger.workflow_id].append(trigger)
    return found
