"""Containers, branches and waits on real rows with a real worker process' threads."""

from __future__ import annotations

import time

import pytest

from automation.engine.status import RunStatus, StepStatus
from automation.models import StepRun

pytestmark = pytest.mark.usefixtures("runtime")


def post(name, receiver, **more):
    request = {"method": "POST", "url": receiver.url, "json": {"id": more.pop("body", name)}}
    return {"id": name, "uses": "http.request", "with": request, **more}


def rows_of(run):
    return {row.path: row for row in StepRun.objects.filter(run_id=run.id)}


def test_branches_run_at_the_same_time(make_workflow, accept, ended, receiver):
    receiver.delay_seconds = 0.4
    version = make_workflow(
        *(post(f"b{n}", receiver) for n in range(6)),
        {"id": "all", "uses": "transform", "with": {"set": {"n": 1}}, "needs": [f"b{n}" for n in range(6)]},
    )
    began = time.monotonic()

    run = ended(accept(version).uid)

    assert run.status == RunStatus.SUCCEEDED
    assert time.monotonic() - began < 6 * 0.4


def test_a_loop_calls_for_every_item_and_keeps_its_rows_few(make_workflow, accept, ended, receiver):
    loop = {"items": "{{ inputs.items }}", "concurrency": 4, "batch": 50}
    version = make_workflow(
        post("send", receiver, body="{{ item }}", for_each=loop), output="{{ steps.send.output | length }}"
    )

    run = ended(accept(version, inputs={"items": list(range(200))}).uid, seconds=30)

    assert (run.status, run.data.output) == (RunStatus.SUCCEEDED, 200)
    assert receiver.keys.keys() == {str(n) for n in range(200)}
    assert len({key for keys in receiver.keys.values() for key in keys}) == 200
    assert all(sum(keys.values()) == 1 for keys in receiver.keys.values())
    assert set(rows_of(run)) == {"send", "send[0-49]", "send[50-99]", "send[100-149]", "send[150-199]"}


def test_a_loop_of_many_items_waits_without_a_worker_and_goes_on_where_it_was(make_workflow, accept, ended):
    version = make_workflow(
        {
            "id": "each",
            "for_each": {"items": [3, 4], "concurrency": 2},
            "steps": [
                {"id": "rest", "uses": "delay", "with": {"for": "{{ item }}"}},
                {"id": "say", "uses": "transform", "with": {"set": {"n": "{{ item }}"}}, "needs": ["rest"]},
            ],
            "output": "{{ steps.say.output.n }}",
        },
        output="{{ steps.each.output }}",
    )

    run = ended(accept(version).uid, seconds=15)

    assert (run.status, run.data.output) == (RunStatus.SUCCEEDED, [3, 4])
    assert run.attempt >= 2  # it was parked


def test_what_fails_in_a_try_is_caught(make_workflow, accept, ended):
    version = make_workflow(
        {
            "id": "safe",
            "try": {
                "catch": [{"id": "note", "uses": "transform", "with": {"set": {"why": "{{ error.message }}"}}}],
                "finally": [{"id": "tidy", "uses": "transform", "with": {"set": {"done": True}}}],
            },
            "steps": [{"id": "boom", "uses": "fail", "with": {"message": "no stock"}}],
        },
        {"id": "after", "uses": "transform", "with": {"set": {"ok": True}}, "needs": ["safe.caught"]},
    )

    run = ended(accept(version).uid)

    rows = rows_of(run)
    assert run.status == RunStatus.SUCCEEDED
    assert rows["note"].output == {"why": "no stock"}
    assert {path: row.status for path, row in rows.items()} == {
        "safe": StepStatus.SUCCEEDED,
        "boom": StepStatus.FAILED,
        "note": StepStatus.SUCCEEDED,
        "tidy": StepStatus.SUCCEEDED,
        "after": StepStatus.SUCCEEDED,
    }
