"""A worker process dies at every named point, every time it gets there, in every way: each run still ends once, right."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connection

import automation
from automation.engine.limits import Slot
from automation.engine.status import RunStatus
from automation.models import Run, Worker
from automation.runtime.vital import EXIT_CODE as THREAD_BROKE
from automation.tests.crash_points.flows import FLOWS
from automation.tests.crash_points.nursery import EXIT_CODE
from automation.tests.triggers.rows import make_workflow as make_callee

REACH = re.compile(r"""\breach\(["'](\w+)["']\)""")
ENDS = {"exit": EXIT_CODE, "thread": THREAD_BROKE, "connection": 0}
# the connection breaks where a statement was just answered; elsewhere there is none to break
ANSWERS = ("after_claim_commit", "in_recover")
# between an effect and the commit of its result
UNSTORED = ("after_effect", "in_park")

CASES = [
    (flow, point, how)
    for flow, declared in FLOWS.items()
    for point in declared.points
    for how in ENDS
    if how != "connection" or point in ANSWERS
]


OF_NOTICES = {"in_notice_decision", "before_notice", "after_notice"}  # crashed at in automation/tests/notices
OF_EVENTS = {"in_event_dispatch", "in_event_delivery"}  # in automation/tests/events
OF_ARRIVALS = {"after_poll", "in_take", "in_poll", "after_poll_commit", "after_settle"}  # in automation/tests/arrivals
OF_STREAMS = {"in_stream", "after_stream_commit", "after_stream_settle"}  # in automation/tests/streams


def test_every_point_of_the_product_is_crashed_at():
    root = Path(automation.__file__).parent
    sources = [path for path in root.rglob("*.py") if "tests" not in path.parts]
    named = {name for path in sources for name in REACH.findall(path.read_text(encoding="utf-8"))}

    assert named - OF_NOTICES - OF_EVENTS - OF_ARRIVALS - OF_STREAMS == {point for _, point, _ in CASES}


def lost_by_a_dead_worker(run_id):
    """The run was held by a process that is gone and known to be: whoever ticks recovers it."""
    dead = Worker.objects.create(id=uuid4(), name="gone/0", state=3)
    with connection.cursor() as cursor:
        cursor.execute(
            "update automation_run set status = 20, claim = gen_random_uuid(), worker_id = %s, attempt = 1 where id = %s",
            [dead.id, run_id],
        )


@pytest.mark.parametrize(("name", "point", "how"), CASES)
def test_a_crash_at_a_point_changes_nothing(name, point, how, make_workflow, accept, receiver, raise_child):
    flow = FLOWS[name]
    document = flow.document(receiver.url)
    version = make_workflow(*document["steps"], output=document["output"], settings=document.get("settings", {}))
    make_current(version)
    if "call" in flow.steps[0]:
        add_callee(version)

    for nth in range(1, 20):
        receiver.keys.clear()
        slot = {"slot": Slot(f"{version.workflow_id}:")} if flow.limit else {}
        accepted, *behind = [accept(version, inputs={"id": 7}, **slot) for _ in range(1 + bool(slot))]
        if point == "in_recover":
            lost_by_a_dead_worker(accepted.id)
        life = (acted if flow.act else lived)(flow, accepted, raise_child, point, nth, how)
        for run in (accepted, *behind):
            check_end(flow, run.id)
        check_effects(flow, receiver, point, nth, runs=1 + len(behind))
        if life.reached.get(point, 0) < nth and life.reached:
            assert nth > 1, f"{point} is not on the way"
            return  # it got there less often: every time was tried
    pytest.fail(f"{point} is reached without end")


def lived(_flow, _accepted, raise_child, point, nth, how):
    """A worker dies at the point, and the next one finishes."""
    life = raise_child(point, nth, how)
    if life.reached:
        assert life.code == 0
    else:
        assert life.code == ENDS[how]
        assert raise_child().code == 0
    return life


def acted(flow, accepted, raise_child, point, nth, how):
    """The run waits; somebody acts and dies at the point, and acts again; the run goes on."""
    assert raise_child().code == 0
    assert Run.objects.get(id=accepted.id).status == RunStatus.WAITING
    life = raise_child(point, nth, how, flow.act, accepted.uid)
    if not life.reached:
        assert life.code == ENDS[how]
        assert Run.objects.get(id=accepted.id).status == RunStatus.WAITING  # it took nothing with it
        assert raise_child(act=flow.act, run=accepted.uid).code == 0
    assert raise_child().code == 0
    return life


def make_current(version):
    type(version.workflow).objects.filter(id=version.workflow_id).update(current_version=version)


def add_callee(version):
    steps = [{"id": "double", "uses": "transform", "with": {"set": {"value": "{{ inputs.id * 2 }}"}}}]
    definition = {"schema": 1, "steps": steps, "output": "{{ steps.double.output.value }}"}
    workflow = make_callee(workspace=version.workspace, definition=definition, name="callee")
    document = version.definition
    document["steps"][0]["call"]["workflow"] = str(workflow.id)
    type(version).objects.filter(id=version.id).update(definition=document)


def check_end(flow, run_id):
    """One run, ended once, with the right output; what it called as well."""
    run = Run.objects.select_related("data").get(id=run_id)
    ended = (RunStatus(run.status), run.finishes, run.data.output)
    assert ended == (RunStatus.SUCCEEDED, 1, flow.expected), run.data.error
    called = "call" in flow.steps[0]
    assert [child.status for child in Run.objects.filter(called_by_run=run)] == [RunStatus.SUCCEEDED] * called


def check_effects(flow, receiver, point, nth, *, runs):
    """Each effect once; one of them twice with the same key when the crash came between it and its result."""
    seen = {name: sum(keys.values()) for name, keys in receiver.keys.items()}
    sends = {step["id"] for step in flow.steps if step.get("uses") == "http.request"}
    assert seen.keys() == sends
    assert all(len(keys) == runs for keys in receiver.keys.values())
    assert sum(seen.values()) - len(sends) * runs <= (point in UNSTORED), (point, nth, seen)
