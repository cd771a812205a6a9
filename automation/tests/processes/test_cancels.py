"""A cancel in each state, on real workers with the product's own clocks: in time, for good, and nothing after it.

Called runs are in `test_run_families.py`.
"""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.db import connection, transaction

from automation.engine.status import RunStatus, StepStatus, WaitKind
from automation.models import Approval, Run, StepRun
from automation.store.cancel import cancel_runs
from brainops.stack.ports import free_port
from tests.live import wait_until

pytestmark = pytest.mark.processes

LONGEST_CANCEL_SECONDS = 2.5
PRODUCT_CLOCKS = {"BRAINOPS_HEARTBEAT_SECONDS": "2", "BRAINOPS_DEAD_SECONDS": "10", "BRAINOPS_TICK_SECONDS": "1"}
SOON_SECONDS = 1.0  # as long as something that goes on is given to go on

Step = dict[str, Any]


def request(url: str, **fields: Any) -> Step:
    return {"uses": "http.request", "with": {"method": "POST", "url": url, "json": {"id": 1}}, **fields}


def after(step: str) -> Step:
    """A step that must not run any more."""
    return {"id": "never", "uses": "transform", "needs": [step], "with": {"set": {"ran": True}}}


def waits(kind: WaitKind) -> bool:
    return Run.objects.filter(status=RunStatus.WAITING, wait_kind=kind).exists()


def cancel(run_id: int) -> float:
    """Cancel as the API does; return the seconds until the run had ended."""
    asked_at = time.monotonic()
    with transaction.atomic(), connection.cursor() as cursor:
        cancel_runs(cursor, [run_id])
    wait_until(lambda: Run.objects.get(id=run_id).is_final)
    return time.monotonic() - asked_at


def assert_cancelled_for_good(run_id: int) -> None:
    time.sleep(SOON_SECONDS)
    run = Run.objects.get(id=run_id)
    assert (RunStatus(run.status), run.finishes) == (RunStatus.CANCELLED, 1)
    assert not StepRun.objects.filter(run=run, path="never", status=StepStatus.SUCCEEDED).exists()
    left = StepRun.objects.filter(run=run, status__lt=StepStatus.SUCCEEDED)
    assert list(left.values_list("path", "status")) == []


@pytest.mark.parametrize("status", [RunStatus.QUEUED, RunStatus.BLOCKED, RunStatus.SUSPECT])
def test_a_run_that_has_not_begun_never_begins(status, make_workflow, accept, workers):
    version = make_workflow({"id": "say", "uses": "transform", "with": {"set": {"a": 1}}}, after("say"))
    run = accept(version)
    Run.objects.filter(id=run.id).update(status=status)

    seconds = cancel(run.id)
    workers.start(1, **PRODUCT_CLOCKS)

    assert seconds <= LONGEST_CANCEL_SECONDS
    assert_cancelled_for_good(run.id)
    assert StepRun.objects.count() == 0


def test_a_request_under_way_is_given_up(make_workflow, accept, receiver, workers):
    receiver.delay_seconds = 30
    workers.start(1, **PRODUCT_CLOCKS)
    step = request(receiver.url, id="send", timeout="60s", on_error="continue")
    run = accept(make_workflow(step, after("send")))
    wait_until(lambda: receiver.keys)

    seconds = cancel(run.id)

    assert seconds <= LONGEST_CANCEL_SECONDS
    assert_cancelled_for_good(run.id)


def test_items_under_way_are_given_up_and_no_further_one_starts(make_workflow, accept, receiver, workers):
    receiver.delay_seconds = 30
    workers.start(1, **PRODUCT_CLOCKS)
    each = {"items": list(range(50)), "concurrency": 4, "on_item_error": "continue"}
    send = {"method": "POST", "url": receiver.url, "json": {"id": "{{ index }}"}}
    loop = {"id": "each", "uses": "http.request", "timeout": "60s", "for_each": each, "with": send}
    run = accept(make_workflow(loop, after("each")))
    wait_until(lambda: len(receiver.keys) == 4)

    seconds = cancel(run.id)

    assert seconds <= LONGEST_CANCEL_SECONDS
    assert_cancelled_for_good(run.id)
    assert len(receiver.keys) == 4


def test_a_sleeping_run_does_not_wake(make_workflow, accept, workers):
    workers.start(1, **PRODUCT_CLOCKS)
    run = accept(make_workflow({"id": "nap", "uses": "delay", "with": {"for": "4s"}}, after("nap")))
    wait_until(lambda: waits(WaitKind.TIMER))

    seconds = cancel(run.id)

    assert seconds <= LONGEST_CANCEL_SECONDS
    time.sleep(4)  # its time comes
    assert_cancelled_for_good(run.id)


def test_a_short_sleep_in_a_thread_is_cut(make_workflow, accept, workers):
    workers.start(1, **PRODUCT_CLOCKS)
    naps = [{"id": f"nap{n}", "uses": "delay", "with": {"for": "1900ms"}} for n in range(9)]
    chain = [{**nap, **({"needs": [f"nap{n - 1}"]} if n else {})} for n, nap in enumerate(naps)]
    run = accept(make_workflow(*chain, after("nap8")))
    wait_until(lambda: Run.objects.get(id=run.id).status == RunStatus.RUNNING)

    seconds = cancel(run.id)

    assert seconds <= LONGEST_CANCEL_SECONDS
    assert_cancelled_for_good(run.id)


def test_a_run_that_waits_to_retry_does_not_try_again(make_workflow, accept, receiver, workers):
    nobody = f"http://127.0.0.1:{free_port()}/"
    workers.allow(nobody.removeprefix("http://").rstrip("/"))
    workers.start(1, **PRODUCT_CLOCKS)
    retry = {"max_attempts": 5, "initial": "1h", "max": "1h", "jitter": "none"}
    run = accept(make_workflow(request(nobody, id="send", retry=retry), after("send")))
    wait_until(lambda: waits(WaitKind.RETRY))

    seconds = cancel(run.id)

    assert seconds <= LONGEST_CANCEL_SECONDS
    assert_cancelled_for_good(run.id)
    assert StepRun.objects.get(path="send").attempt == 1


@pytest.mark.parametrize(
    ("kind", "step"),
    [
        (WaitKind.APPROVAL, {"id": "ask", "uses": "approval", "with": {"title": "Pay?"}}),
        (WaitKind.SIGNAL, {"id": "ask", "uses": "wait_signal", "with": {"name": "paid"}}),
    ],
)
def test_a_run_that_waits_for_people_or_news_is_ended(kind, step, make_workflow, accept, workers):
    workers.start(1, **PRODUCT_CLOCKS)
    run = accept(make_workflow(step, after("ask")))
    wait_until(lambda: waits(kind))

    seconds = cancel(run.id)

    assert seconds <= LONGEST_CANCEL_SECONDS
    assert_cancelled_for_good(run.id)
    assert not Approval.objects.filter(run_id=run.id, state="approved").exists()


def test_of_many_runs_cancelled_at_any_moment_none_succeeds_after_it(make_workflow, accept, receiver, workers):
    receiver.delay_seconds = 0.2
    workers.start(2, **PRODUCT_CLOCKS)
    version = make_workflow(request(receiver.url, id="send"), after("send"))
    runs = [accept(version) for _ in range(60)]

    told = {}
    for run in runs:
        with transaction.atomic(), connection.cursor() as cursor:
            told |= cancel_runs(cursor, [run.id])
        time.sleep(0.02)

    wait_until(lambda: not Run.objects.filter(finished_at=None).exists())
    ends = dict(Run.objects.filter(id__in=told).values_list("id", "status"))
    assert {RunStatus(status) for status in ends.values()} == {RunStatus.CANCELLED}
    assert set(Run.objects.values_list("finishes", flat=True)) == {1}
