"""The page that rehearses a workflow: givens above, the plan of effects below. Nothing happens by it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

import orjson
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from automation.admin import workflow_page
from automation.admin.callers import caller_of, say_refusal
from automation.looks.states import RUNS, Look
from automation.models import Workflow
from automation.services import dry_runs
from automation.services.dry_runs import PERFORM, SIMULATE, DryRun, Wanted
from brainops.core import json_gate
from brainops.core.errors import AppError, InvalidInput

FIELDS = ("inputs", "trigger", "samples")
ANSWERS = {
    "performed": "read for this plan",
    "simulated": "simulated",
    "schema": "made up from its schema",
    "sample": "your sample",
    "called": "rehearsed",
    "assumed": "assumed: it hangs on answers that were made up",
    "failed": "failed",
}
QUIET = ("skipped", "not_reached", "cancelled")
STOPPED = Look("Stopped by a limit", "timer_off", "warning")

Json = Any


@dataclass(frozen=True, slots=True)
class EffectLine:
    """One effect of the table. `depth` is how many calls lead to it."""

    effect: Mapping[str, Json]
    depth: int

    @property
    def answered(self) -> str:
        """How its answer came about, in words."""
        return ANSWERS[self.effect["answer_source"]]


@dataclass(frozen=True, slots=True)
class PlanView:
    """Everything below the form."""

    done: DryRun
    look: Look
    effects: list[EffectLine]

    @property
    def report(self) -> Mapping[str, Json]:
        """The report itself."""
        return self.done.report

    @property
    def quiet_steps(self) -> list[Mapping[str, Json]]:
        """The steps that would not run and were not asked either, with the reason."""
        asked = {decision["path"] for decision in self.report["decisions"]}
        return [step for step in self.report["steps"] if step["status"] in QUIET and step["path"] not in asked]


class DryRunPages:
    """What the admin of workflows adds for dry runs."""

    admin_site: AdminSite
    dry_run_template: ClassVar[str] = "automation/dry_run.html"

    if TYPE_CHECKING:  # the admin that this is mixed into has them

        def _workflow(self, request: HttpRequest, id: UUID) -> Workflow: ...

        @staticmethod
        def _may(request: HttpRequest, permission: str) -> bool: ...

    def dry_run_view(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """Ask for the givens; show what a run with them would do."""
        workflow = self._workflow(request, id)
        if not self._may(request, "run_workflow"):
            raise PermissionDenied
        given = {name: request.POST.get(name, "") for name in FIELDS}
        reads = request.POST.get("reads", SIMULATE)
        plan = self._plan(request, workflow, given, reads) if request.method == "POST" else None
        if request.method != "POST":
            given["inputs"] = workflow_page.sample_inputs(workflow.definition)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Dry run of {workflow.name}",
            "workflow": workflow,
            "given": given,
            "reads": reads,
            "plan": plan,
        }
        return render(request, self.dry_run_template, context)

    def _plan(self, request: HttpRequest, workflow: Workflow, given: Mapping[str, str], reads: str) -> PlanView | None:
        """The plan; None when it was refused, with the reasons as messages."""
        try:
            values = {name: _read(text, name) for name, text in given.items() if text.strip()}
            wanted = Wanted(**values, reads=PERFORM if reads == PERFORM else SIMULATE)
            done = dry_runs.dry_run(caller_of(request, workflow.workspace_id), workflow.id, wanted)
        except AppError as refusal:
            say_refusal(request, refusal)
            return None
        status = done.report["status"]
        look = next((look for known, look in RUNS.items() if known.word == status), STOPPED)
        return PlanView(done, look, list(_lines(done.report["effects"])))


def _lines(effects: list[Mapping[str, Json]], depth: int = 0) -> Iterator[EffectLine]:
    for effect in effects:
        yield EffectLine(effect, depth)
        yield from _lines(effect["inside"], depth + 1)


def _read(text: str, name: str) -> Json:
    """JSON a person typed, through the same gate as a request's. Raises InvalidInput."""
    value = json_gate.read(text.encode())
    if name != "trigger" and not isinstance(value, dict):
        raise InvalidInput(f"{name.capitalize()} are a JSON object in braces, got {orjson.dumps(value).decode()[:60]}.")
    return value
