"""The group checkpoint: fencing, upserts and refusals, statement by statement on real rows."""

from __future__ import annotations

import secrets
from uuid import uuid4

import pytest
from django.db import connection

from automation.engine.results import StepResult
from automation.engine.status import RunStatus, StepStatus
from automation.models import Run, StepRun
from automation.runtime.writer import Receipt, commit
from automation.store.checkpoint import Entry, Move, write_checkpoint
from automation.store.claim import claim_runs
from automation.store.recover import declare_dead, recover_runs
from automation.store.workers import register


def done(path="a", output=1):
    return StepResult(path, "transform", StepStatus.SUCCEEDED, output=output)


def test_a_claim_hands_out_each_run_once(store, claim):
    worker_id, first = claim(3)

    again = claim_runs(store, worker_id=worker_id, queue="default", limit=3)

    assert len(first) == 3
    assert again == []


def test_a_dead_worker_claims_nothing(store, claim):
    worker_id, _ = claim(1)
    Run.objects.update(status=RunStatus.QUEUED, claim=None, worker_id=None)
    with connection.cursor() as cursor:
        cursor.execute("update automation_worker set state = 3")

    assert claim_runs(store, worker_id=worker_id, queue="default", limit=1) == []


def test_a_checkpoint_records_moves_and_steps_of_many_runs_at_once(store, claim):
    _, (first, second) = claim(2)

    standing = write_checkpoint(
        store,
        [
            Entry(first.id, first.claim, (done(),)),
            Entry(second.id, second.claim, (done(),), move=Move(RunStatus.SUCCEEDED, output={"x": 1})),
        ],
    )

    assert standing == {first.id: RunStatus.RUNNING, second.id: RunStatus.SUCCEEDED}
    assert StepRun.objects.count() == 2
    assert Run.objects.get(id=second.id).data.output == {"x": 1}


def test_a_wrong_claim_writes_nothing(store, claim):
    _, (run,) = claim()

    standing = write_checkpoint(store, [Entry(run.id, uuid4(), (done(),), move=Move(RunStatus.SUCCEEDED))])

    assert standing == {}
    assert not StepRun.objects.exists()
    assert Run.objects.get(id=run.id).status == RunStatus.RUNNING


def test_a_checkpoint_whose_answer_was_lost_may_be_repeated(store, claim):
    _, (run,) = claim()
    entry = Entry(run.id, run.claim, (done(),), move=Move(RunStatus.SUCCEEDED))

    first, second = write_checkpoint(store, [entry]), write_checkpoint(store, [entry])

    assert (first, second) == ({run.id: RunStatus.SUCCEEDED}, {})
    assert Run.objects.get(id=run.id).finishes == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (StepStatus.STARTED, StepStatus.SUCCEEDED),
        (StepStatus.RETRYING, StepStatus.SUCCEEDED),
        (StepStatus.RETRYING, StepStatus.FAILED),
        (StepStatus.WAITING, StepStatus.SUCCEEDED),
    ],
)
def test_a_step_that_is_not_final_takes_its_later_result(store, claim, before, after):
    _, (run,) = claim()

    write_checkpoint(store, [Entry(run.id, run.claim, (StepResult("a", "transform", before),))])
    write_checkpoint(store, [Entry(run.id, run.claim, (StepResult("a", "transform", after, attempt=2),))])

    assert list(StepRun.objects.values_list("status", "attempt")) == [(after, 2)]


def test_a_final_step_never_changes(store, claim):
    _, (run,) = claim()

    write_checkpoint(store, [Entry(run.id, run.claim, (done(output="first"),))])
    write_checkpoint(store, [Entry(run.id, run.claim, (done(output="second"),))])

    assert StepRun.objects.get().output == "first"


def test_a_cancel_that_was_asked_for_wins_over_success(store, claim):
    _, (run,) = claim()
    with connection.cursor() as cursor:
        cursor.execute("update automation_run set cancel_requested_at = now()")

    standing = write_checkpoint(store, [Entry(run.id, run.claim, move=Move(RunStatus.SUCCEEDED, output=1))])

    assert standing == {run.id: RunStatus.CANCELLED}
    assert Run.objects.get(id=run.id).data.output is None


def test_a_value_that_postgresql_refuses_fails_its_own_run_and_no_other(store, claim):
    _, (poisoned, healthy) = claim(2)
    batch = [
        Receipt(Entry(poisoned.id, poisoned.claim, (done(output="a\0b"),), move=Move(RunStatus.SUCCEEDED))),
        Receipt(Entry(healthy.id, healthy.claim, (done(),), move=Move(RunStatus.SUCCEEDED))),
    ]

    commit(store, batch, give_up=lambda: True)

    assert [receipt.wait() for receipt in batch] == [None, RunStatus.SUCCEEDED]
    error = Run.objects.get(id=poisoned.id).data.error
    assert (error["type"], "'a'" in error["message"]) == ("unstorable_output", True)


def test_a_value_beyond_a_limit_of_the_database_fails_its_run_and_holds_nobody_up(store, claim):
    _, (poisoned, healthy) = claim(2)
    too_long = secrets.token_hex(20_000)  # does not compress into an index row
    batch = [
        Receipt(Entry(poisoned.id, poisoned.claim, (done(path=too_long),), move=Move(RunStatus.SUCCEEDED))),
        Receipt(Entry(healthy.id, healthy.claim, (done(),), move=Move(RunStatus.SUCCEEDED))),
    ]

    commit(store, batch, give_up=lambda: True)

    assert [receipt.wait() for receipt in batch] == [None, RunStatus.SUCCEEDED]
    assert RunStatus(Run.objects.get(id=poisoned.id).status) == RunStatus.FAILED


def test_the_runs_of_a_dead_worker_go_back_and_a_second_crash_makes_a_suspect(store, claim):
    worker_id, (run,) = claim()
    with connection.cursor() as cursor:
        cursor.execute("update automation_worker set heartbeat_at = now() - interval '1 hour'")

    assert declare_dead(store, [], dead_seconds=0.001) == 0  # silent only to a statement that waited: no proof
    assert declare_dead(store, [worker_id], dead_seconds=0.001) == 1
    assert recover_runs(store) == {run.id: RunStatus.QUEUED}
    second = uuid4()
    register(store, worker_id=second, name="host/2", pid=1, release="", slots=4)
    claim_runs(store, worker_id=second, queue="default", limit=1)
    with connection.cursor() as cursor:
        cursor.execute("update automation_worker set state = 3 where id = %s", [second])
    assert recover_runs(store) == {run.id: RunStatus.SUSPECT}
