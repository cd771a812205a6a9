"""The dialog in which a trigger is tried: with something that came, or with data that somebody types."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render

from automation.admin.callers import caller_of
from automation.admin.filters import as_uuid
from automation.admin.rights import may
from automation.looks.wording import pretty
from automation.models import Trigger
from automation.services import trials
from automation.services.trials import NOTHING, Trial
from automation.triggers import all_trigger_kinds
from brainops.core import json_gate
from brainops.core.errors import AppError


@dataclass(slots=True)
class TrialView:
    """The dialog. `trial` is None and `refusals` say why when there is nothing to show."""

    text: str
    sample_id: UUID | None
    placeholder: str
    trial: Trial | None = None
    refusals: list[str] = field(default_factory=list)

    @property
    def source(self) -> str:
        """With what it was tried, in words."""
        if self.text.strip():
            return "With given data"
        if self.trial is None or self.trial.sample.at is None:
            return "With what came last"
        at = f"{self.trial.sample.at:%Y-%m-%d %H:%M:%S} UTC"
        return f"With what came at {at}" if self.trial.sample.id else f"With the slot of {at}"

    @property
    def trigger_text(self) -> str:
        """What a run would see."""
        return pretty(self.trial.sample.trigger) if self.trial else ""

    @property
    def inputs_text(self) -> str:
        """What a run would get."""
        return pretty(self.trial.inputs) if self.trial else ""


def read(request: HttpRequest, trigger: Trigger, said: QueryDict, *, starts: bool = False) -> TrialView:
    """Try the trigger as the form says; with `starts` a test run is started, too."""
    view = TrialView(said.get("data", ""), as_uuid(said.get("sample", "")), _placeholder(trigger))
    act = trials.start if starts else trials.evaluate
    try:
        data = json_gate.read(view.text.encode("utf-8", "replace")) if view.text.strip() else NOTHING
        sample_id = view.sample_id if data is NOTHING else None
        view.trial = act(caller_of(request, trigger.workspace_id), trigger.id, sample_id=sample_id, data=data)
    except AppError as refusal:
        view.refusals = [problem.message for problem in refusal.problems] or [refusal.message]
    return view


def answer(request: HttpRequest, site: AdminSite, trigger: Trigger, view: TrialView) -> HttpResponse:
    """The dialog as a page."""
    context: dict[str, Any] = {
        **site.each_context(request),
        "title": "Try a trigger",
        "trigger": trigger,
        "view": view,
        "may_run": may_run(request),
    }
    return render(request, "automation/trigger_try.html", context)


def may_run(request: HttpRequest) -> bool:
    """Those who may start runs."""
    return may(request, "automation.run_workflow")


def _placeholder(trigger: Trigger) -> str:
    kind = all_trigger_kinds().get(trigger.kind)
    example = {"slot": "2026-11-23T09:00:00Z"} if kind and kind.clock else {"total": 120}
    return orjson.dumps(example).decode()
