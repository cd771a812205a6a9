"""What happens to the other branches of a run while one of its steps takes its time."""

from __future__ import annotations

import pytest

from automation.engine.status import RunStatus, StepStatus
from automation.models import StepRun
from automation.services.signals import send
from brainops.accounts.caller import system_caller
from tests.live import wait_until

pytestmark = pytest.mark.usefixtures("runtime")


@pytest.fixture
def receiver(receiver):
    receiver.delay_seconds = 1.5
    return receiver


def post(name, receiver):
    return {
        "id": name,
        "uses": "http.request",
        "with": {"method": "POST", "url": receiver.url, "json": {"id": name}},
    }


def ended_at(run, path):
    return StepRun.objects.get(run_id=run.id, path=path).finished_at


def test_a_timer_goes_off_while_a_slow_step_is_under_way(make_workflow, accept, ended, receiver):
    nap = {"id": "nap", "uses": "delay", "with": {"for": 0.2}}
    after = {"id": "after", "uses": "transform", "with": {"set": {}}, "needs": ["nap"]}

    run = ended(accept(make_workflow(nap, post("slow", receiver), after)).uid)

    assert run.status == RunStatus.SUCCEEDED
    assert ended_at(run, "after") < ended_at(run, "slow")


def test_a_signal_is_heard_while_a_slow_step_is_under_way(make_workflow, accept, ended, receiver):
    wait = {"id": "wait", "uses": "wait_signal", "with": {"name": "go"}}
    after = {"id": "after", "uses": "transform", "with": {"set": {}}, "needs": ["wait"]}
    version = make_workflow(wait, post("slow", receiver), after)
    accepted = accept(version)
    wait_until(lambda: receiver.keys["slow"])

    send(system_caller(version.workspace_id, "somebody"), accepted.uid, "go")

    run = ended(accepted.uid)
    assert run.status == RunStatus.SUCCEEDED
    assert ended_at(run, "after") < ended_at(run, "slow")


def test_values_that_are_no_json_end_their_run_and_nothing_else(make_workflow, accept, ended, monkeypatch):
    from automation.engine.kinds import Done
    from automation.runtime import plans
    from automation.steps import all_kinds
    from automation.tests.engine.samples import kind

    odd = kind("odd", lambda _call: Done([{1, 2}]))
    monkeypatch.setattr(plans, "all_kinds", lambda: {**all_kinds(), "odd": odd})
    each = {"id": "each", "uses": "transform", "with": {"set": {}}, "for_each": {"items": "{{ steps.odd.output }}"}}

    run = ended(accept(make_workflow({"id": "odd", "uses": "odd", "with": {}}, each)).uid)

    assert run.status == RunStatus.FAILED
    assert [row for row in StepRun.objects.filter(run=run) if row.status < StepStatus.SUCCEEDED] == []
