"""Large checkpoints go their own way: nobody waits for them, and each run's checkpoints keep their order."""

from __future__ import annotations

import secrets
import threading
import time

import pytest

from automation.engine.results import StepResult
from automation.engine.status import RunStatus, StepStatus
from automation.models import Payload, Run, StepRun
from automation.runtime.writer import MOST_BYTES, Receipt, Writer
from automation.store.checkpoint import Entry, Move
from automation.store.connection import Connection
from automation.store.load import load_steps


@pytest.fixture
def writer(transactional_db):
    writer = Writer()
    writer.start()
    yield writer
    writer.stop(10)
    assert not writer.is_alive()


@pytest.fixture
def lock_payloads():
    """Nobody can keep a payload until the end of the block: a slow disk, made certain."""
    connection = Connection()
    held, freed = threading.Event(), threading.Event()

    def hold(cursor):
        cursor.execute("lock table automation_payload in exclusive mode")
        held.set()
        freed.wait(20)

    thread = threading.Thread(target=lambda: connection.transaction(hold))

    def lock():
        thread.start()
        assert held.wait(10)
        return freed

    yield lock
    freed.set()
    thread.join()
    connection.close()


def done(output, path="a"):
    return StepResult(path, "transform", StepStatus.SUCCEEDED, output=output)


def finish(run, *steps):
    return Entry(run.id, run.claim, steps, move=Move(RunStatus.SUCCEEDED, output=1))


def test_a_hundred_runs_in_one_batch_with_a_large_one_do_not_wait_for_it(writer, claim, lock_payloads):
    runs = [run for count in (51, 50) for run in claim(count)[1]]
    large, small = runs[0], runs[1:]
    free = lock_payloads()

    first = writer.submit(finish(large, done("x" * 500_000)))
    others = [writer.submit(finish(run, done("small"))) for run in small]
    statuses = [receipt.wait() for receipt in others]

    assert statuses == [RunStatus.SUCCEEDED] * 100
    assert Run.objects.get(id=large.id).status == RunStatus.RUNNING
    free.set()
    assert first.wait() == RunStatus.SUCCEEDED
    assert Payload.objects.get().size == 500_002


def test_a_small_checkpoint_never_overtakes_a_large_one_of_its_run(writer, claim, lock_payloads):
    _, (run,) = claim()
    free = lock_payloads()

    first = writer.submit(Entry(run.id, run.claim, (done("x" * 100_000, "large"),)))
    second = writer.submit(finish(run, done("small", "small")))
    time.sleep(0.2)

    assert not StepRun.objects.exists()
    free.set()
    assert (first.wait(), second.wait()) == (RunStatus.RUNNING, RunStatus.SUCCEEDED)
    assert sorted(StepRun.objects.values_list("path", flat=True)) == ["large", "small"]


def test_a_large_checkpoint_never_overtakes_a_small_one_of_its_run(writer, claim):
    _, (run,) = claim()

    first = writer.submit(Entry(run.id, run.claim, (done("small", "small"),)))
    second = writer.submit(finish(run, done("x" * 100_000, "large")))

    assert (first.wait(), second.wait()) == (RunStatus.RUNNING, RunStatus.SUCCEEDED)
    assert sorted(StepRun.objects.values_list("path", flat=True)) == ["large", "small"]


def test_a_stopping_writer_commits_what_was_handed_in_large_or_not(transactional_db, claim):
    _, runs = claim(6)
    writer = Writer()
    receipts = [writer.submit(finish(run, done("x" * (100_000 if n % 2 else 10)))) for n, run in enumerate(runs)]

    writer.start()
    writer.stop(10)

    assert not writer.is_alive()
    assert [receipt.status for receipt in receipts] == [RunStatus.SUCCEEDED] * 6


def test_a_batch_is_closed_before_it_grows_beyond_its_bytes(transactional_db, claim):
    _, runs = claim(40)
    writer = Writer()
    for run in runs:  # each value stays in its row; together they are more than a batch may hold
        writer.submit(finish(run, done("x" * 60_000)))

    batch, saw_stop = writer._gather()

    assert (sum(receipt.size for receipt in batch) >= MOST_BYTES, len(batch), saw_stop) == (True, 18, False)
    writer.start()
    writer.stop(10)


def test_a_value_that_is_no_json_fails_its_own_run(writer, claim):
    _, (broken, healthy) = claim(2)

    refused = writer.submit(finish(broken, done({"n": 1 << 80})))
    accepted = writer.submit(finish(healthy, done("fine")))

    assert (refused.wait(), accepted.wait()) == (None, RunStatus.SUCCEEDED)
    assert Run.objects.get(id=broken.id).data.error["type"] == "unstorable_output"


def test_a_run_goes_on_with_its_whole_values_after_it_left_the_process(make_workflow, accept, runtime, ended):
    version = make_workflow(
        {"id": "big", "uses": "transform", "with": {"set": {"text": "{{ inputs.text }}"}}},
        {"id": "pause", "needs": ["big"], "uses": "delay", "with": {"for": "2.2s"}},
        output={"kept": "{{ steps.big.output.text | length }}", "input": "{{ inputs.text | length }}"},
        inputs={"type": "object", "properties": {"text": {"type": "string"}}},
    )
    text = secrets.token_hex(100_000)
    run = accept(version, inputs={"text": text})

    finished = ended(run.uid)

    assert (finished.status, finished.attempt) == (RunStatus.SUCCEEDED, 2)
    assert finished.data.output == {"kept": 200_000, "input": 200_000}
    store = Connection()
    assert load_steps(store, [run.id])[run.id]["big"].output == {"text": text}
    store.close()


def test_a_run_whose_kept_value_is_damaged_fails_and_says_so(make_workflow, accept, runtime, ended):
    version = make_workflow({"id": "a", "uses": "transform", "with": {"set": {"x": "{{ inputs.text }}"}}})
    run = accept(version, inputs={"text": "x" * 100_000}, queue="parked")
    Payload.objects.update(size=3)
    Run.objects.update(queue="default")
    runtime.wake()

    finished = ended(run.uid)

    assert finished.status == RunStatus.FAILED
    assert finished.data.error["type"] == "payload_broken"
    assert "have another checksum" in finished.data.error["message"]


def test_a_receipt_knows_whether_others_should_wait_for_it(claim):
    _, (run,) = claim()

    sizes = {size: Receipt(finish(run, done("x" * size))).is_large for size in (10, 65_534, 65_535)}

    assert sizes == {10: False, 65_534: False, 65_535: True}
