"""Rows that tests of file triggers start from, and how they look at a place."""

from __future__ import annotations

from typing import Any

from django.db.models.functions import Now

from automation.models import Arrival, Run, Secret, Source, Trigger
from automation.services import sources, triggers
from automation.tests.triggers.rows import DEFINITION, make_workflow
from brainops.accounts.caller import system_caller

AT_ONCE = {"stable_for": "0s", "first": "all"}


def watch(*, definition: Any = DEFINITION, secrets: dict[str, str] | None = None, **config: Any) -> Trigger:
    """A file trigger, saved as the API saves it; without more it takes whatever stands there, at once."""
    workflow = make_workflow(definition=definition)
    for name, value in (secrets or {}).items():
        Secret.objects.create(workspace=workflow.workspace, name=name, value=value)
    caller = system_caller(workflow.workspace_id, label="test")
    asked = {**AT_ONCE, **config}
    return triggers.create(caller, workflow_id=workflow.id, kind="file", config=asked).trigger


def source_of(trigger: Trigger) -> Source:
    return Source.objects.get(trigger=trigger)


def look_once(trigger: Trigger) -> Source:
    """One look, as the poller of a worker does it."""
    Source.objects.filter(trigger=trigger).update(next_at=Now())
    held = sources.claim()
    assert held is not None
    sources.look(held)
    return source_of(trigger)


def look_until_quiet(trigger: Trigger, *, most: int = 60) -> int:
    """Look again and again until a look leaves everything as it is; returns how many looks did something."""
    for count in range(most):
        before = (source_of(trigger).cursor, Arrival.objects.filter(trigger=trigger).count())
        source = look_once(trigger)
        assert source.last_error == "", source.last_error
        after = (source.cursor, Arrival.objects.filter(trigger=trigger).count())
        if count and before == after:
            return count
    raise AssertionError(f"Still something new after {most} looks.")


def items_of(trigger: Trigger) -> list[dict[str, Any]]:
    """What the runs of a trigger see, in the order in which they were started."""
    return [run.data.input["trigger"]["item"] for run in Run.objects.filter(trigger_id=trigger.id).order_by("id")]


def names(trigger: Trigger) -> list[str]:
    return [item["name"] for item in items_of(trigger)]


def said(trigger: Trigger) -> list[tuple[str, str]]:
    """What became of each thing, and why: in the order in which they came."""
    rows = Arrival.objects.filter(trigger=trigger).order_by("id")
    return [(row.get_decision_display(), row.reason) for row in rows]
