"""Workers are killed, stopped and restarted; no accepted run is lost and none finishes twice."""

from __future__ import annotations

import signal

import pytest

from automation.engine.status import RunStatus
from automation.models import Run, Worker, WorkerState
from tests.live import wait_until

pytestmark = pytest.mark.processes


@pytest.fixture
def post(make_workflow, receiver):
    """A workflow: shape, send to the receiver, note."""
    return make_workflow(
        {"id": "shape", "uses": "transform", "with": {"set": {"id": "{{ inputs.id }}"}}},
        {
            "id": "send",
            "uses": "http.request",
            "needs": ["shape"],
            "with": {"method": "POST", "url": receiver.url, "json": "{{ steps.shape.output }}"},
        },
        {
            "id": "note",
            "uses": "transform",
            "needs": ["send"],
            "with": {"set": {"ok": "{{ steps.send.output.body.ok }}"}},
        },
    )


def statuses() -> dict[str, int]:
    found: dict[str, int] = {}
    for status in Run.objects.values_list("status", flat=True):
        word = RunStatus(status).word
        found[word] = found.get(word, 0) + 1
    return found


def test_two_workers_run_everything_once(post, accept, receiver, workers):
    workers.start(2)

    for number in range(200):
        accept(post, inputs={"id": number})

    wait_until(lambda: statuses() == {"succeeded": 200})
    assert set(Run.objects.values_list("finishes", "attempt")) == {(1, 1)}
    assert len(receiver.keys) == 200
    assert all(sum(keys.values()) == 1 for keys in receiver.keys.values())


def test_runs_of_a_killed_worker_go_on_elsewhere_with_the_same_idempotency_key(post, accept, receiver, workers):
    receiver.delay_seconds = 0.5
    victim, _survivor = workers.start(2)
    for number in range(60):
        accept(post, inputs={"id": number})
    wait_until(lambda: len(receiver.keys) >= 20)

    victim.send_signal(signal.SIGKILL)
    victim.wait()

    wait_until(lambda: statuses() == {"succeeded": 60})
    assert set(Run.objects.values_list("finishes", flat=True)) == {1}
    assert len(receiver.keys) == 60
    assert all(len(keys) == 1 for keys in receiver.keys.values())  # a repeat carries the same key
    repeated = [number for number, keys in receiver.keys.items() if sum(keys.values()) > 1]
    assert len(repeated) <= 32  # only what was in flight at the kill


def test_a_restarted_worker_takes_its_predecessors_runs_back_at_once(post, accept, receiver, workers):
    receiver.delay_seconds = 1.0
    (first,) = workers.start(1, BRAINOPS_DEAD_SECONDS="60", BRAINOPS_HEARTBEAT_SECONDS="1")
    accept(post, inputs={"id": 1})
    wait_until(lambda: receiver.keys)

    first.send_signal(signal.SIGKILL)
    first.wait()
    workers.start(1, BRAINOPS_DEAD_SECONDS="60", BRAINOPS_HEARTBEAT_SECONDS="1")

    wait_until(lambda: statuses() == {"succeeded": 1})  # long before the 60 s of silence
    assert Run.objects.get().crashes == 1


def test_a_warm_stop_repeats_no_effect_and_leaves_no_run_running(post, accept, receiver, workers):
    receiver.delay_seconds = 0.3
    first, _second = workers.start(2)
    for number in range(40):
        accept(post, inputs={"id": number})
    wait_until(lambda: len(receiver.keys) >= 10)

    first.terminate()
    assert first.wait(15) == 0

    wait_until(lambda: statuses() == {"succeeded": 40})
    assert all(sum(keys.values()) == 1 for keys in receiver.keys.values())
    assert set(Run.objects.values_list("crashes", flat=True)) == {0}
    assert Worker.objects.filter(state=WorkerState.GONE).count() == 1


def test_a_paused_worker_may_not_write_when_it_comes_back(post, accept, receiver, workers):
    receiver.delay_seconds = 0.5
    paused, _other = workers.start(2)
    for number in range(20):
        accept(post, inputs={"id": number})
    wait_until(lambda: len(receiver.keys) >= 5)

    paused.send_signal(signal.SIGSTOP)
    wait_until(lambda: statuses() == {"succeeded": 20}, seconds=30)
    paused.send_signal(signal.SIGCONT)
    accept(post, inputs={"id": "after"})

    wait_until(lambda: statuses() == {"succeeded": 21})
    assert set(Run.objects.values_list("finishes", flat=True)) == {1}


def test_a_run_is_cancelled_in_the_middle_of_a_slow_request(post, accept, receiver, workers):
    receiver.delay_seconds = 10
    workers.start(1)
    run = accept(post, inputs={"id": 1})
    wait_until(lambda: receiver.keys)

    from django.db import connection

    from automation.store.cancel import cancel_runs

    with connection.cursor() as cursor:
        assert cancel_runs(cursor, [run.id]) == {run.id: RunStatus.RUNNING}

    wait_until(lambda: statuses() == {"cancelled": 1}, seconds=2.5)


def test_runs_start_without_redis(post, accept, receiver, workers):
    workers.start(1, REDIS_URL="redis://127.0.0.1:1/0")

    accept(post, inputs={"id": 1})

    wait_until(lambda: statuses() == {"succeeded": 1}, seconds=5)
