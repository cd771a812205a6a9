"""Retention: what may go goes with everything that hangs on it, what must stay stays, and the figures do not change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from automation.engine.status import RunStatus
from automation.models import (
    Approval,
    ApprovalVote,
    Callback,
    Event,
    LocalEffect,
    Payload,
    Replay,
    ReplayItem,
    Run,
    RunData,
    RunLog,
    RunStatistic,
    Signal,
    StepRun,
)
from automation.services import retention, statistics
from automation.store.connection import Connection
from automation.store.intake import NewRun, insert_run
from automation.tests.triggers.rows import make_workflow

CHILDREN = (RunData, StepRun, RunLog, Payload, LocalEffect, Signal, Callback, Approval, ApprovalVote, ReplayItem)


@pytest.fixture
def store(transactional_db):
    store = Connection()
    yield store
    store.close()


def add(workflow, *, days=0.0, status=RunStatus.SUCCEEDED, **values):
    """A run that ended `days` ago."""
    new = NewRun(workflow.workspace_id, workflow.id, workflow.current_version_id, inputs={})
    with connection.cursor() as cursor:
        run_id = insert_run(cursor, new).id
    at = timezone.now() - timedelta(days=days)
    ended = {"finished_at": at, "finishes": 1, "started_at": at - timedelta(seconds=2)} if status.is_final else {}
    Run.objects.filter(id=run_id).update(status=status, created_at=at - timedelta(seconds=3), **ended, **values)
    StepRun.objects.create(run_id=run_id, path="a", status=50)
    return Run.objects.get(id=run_id)


def furnish(run):
    """One row of everything that can hang on a run."""
    at = timezone.now()
    RunLog.objects.create(run=run, seq=1, at=at, message="x")
    Payload.objects.create(run=run, sha256="0" * 64, size=1, codec="zlib", data=b"x")
    LocalEffect.objects.create(run=run, path="a")
    Signal.objects.create(run=run, name="paid")
    Callback.objects.create(run=run, path="a", name="paid", token_hash=run.id.to_bytes(32, "big"))
    approval = Approval.objects.create(workspace_id=run.workspace_id, run=run, path="a", title="Pay?")
    ApprovalVote.objects.create(approval=approval, voter="ada", verdict="approved")
    ReplayItem.objects.create(replay=Replay.objects.create(workspace_id=run.workspace_id), run=run, new_run=run)
    Event.objects.create(workspace_id=run.workspace_id, name="paid", run=run)


def left():
    return set(Run.objects.values_list("id", flat=True))


def test_each_status_has_its_own_age(store):
    workflow = make_workflow()
    gone = [
        add(workflow, days=31),
        add(workflow, days=91, status=RunStatus.FAILED),
        add(workflow, days=91, status=RunStatus.TIMED_OUT),
    ]
    stays = [
        add(workflow, days=29),
        add(workflow, days=31, status=RunStatus.FAILED),
        add(workflow, days=89, status=RunStatus.CANCELLED),
        add(workflow, status=RunStatus.WAITING),
        add(workflow, days=400, status=RunStatus.WAITING),
    ]

    outcome = retention.prune(store)

    assert (outcome.runs, outcome.steps, outcome.next_after) == (len(gone), 3, None)
    assert left() == {run.id for run in stays}


def test_a_workflow_may_say_otherwise(store):
    short = make_workflow(retention={"succeeded": "1d", "failed": "forever"})
    usual = make_workflow()
    add(short, days=2)
    stays = [add(short, days=900, status=RunStatus.FAILED), add(usual, days=2)]

    assert retention.prune(store).runs == 1
    assert left() == {run.id for run in stays}


def test_the_newest_runs_of_a_workflow_stay_whatever_their_age(store):
    workflow = make_workflow(retention={"succeeded": "1d", "keep_last": 3})
    runs = [add(workflow, days=50 - n) for n in range(5)]

    assert retention.prune(store).runs == 2
    assert left() == {run.id for run in runs[2:]}


def test_a_pinned_run_stays(store):
    workflow = make_workflow()
    pinned = add(workflow, days=400, is_pinned=True)
    add(workflow, days=400)

    assert retention.prune(store).runs == 1
    assert left() == {pinned.id}


def test_zero_days_are_for_ever(store, settings):
    settings.BRAINOPS_RETENTION_DAYS = dict.fromkeys(settings.BRAINOPS_RETENTION_DAYS, 0)
    add(make_workflow(), days=4000)

    assert retention.prune(store).runs == 0


def test_everything_that_hangs_on_a_run_goes_and_events_stay_without_it(store):
    workflow = make_workflow()
    furnish(add(workflow, days=100))
    stays = add(workflow)
    furnish(stays)
    before = {model.__name__: model.objects.filter(**_of(model, stays)).count() for model in CHILDREN}

    assert retention.prune(store).runs == 1
    assert {model.__name__: model.objects.count() for model in CHILDREN} == before
    assert sorted(Event.objects.values_list("run_id", flat=True), key=str) == sorted([None, stays.id], key=str)


def _of(model, run):
    return {"approval__run": run} if model is ApprovalVote else {"run": run}


def test_a_retry_outlives_the_run_it_repeats(store):
    workflow = make_workflow()
    first = add(workflow, days=100)
    retried = add(workflow, days=1, parent_run=first)

    assert retention.prune(store).runs == 1
    assert Run.objects.get(id=retried.id).parent_run_id is None


def test_a_called_run_goes_after_its_caller_and_never_before(store):
    parent, child = make_workflow(retention={"succeeded": "60d"}), make_workflow()
    caller = add(parent, days=40, has_children=True)
    called = add(child, days=40, called_by_run=caller, called_by_path="call")
    detached = add(child, days=40, called_by_run=caller, called_by_path="tell", is_detached=True)

    assert (retention.prune(store).runs, left()) == (1, {caller.id, called.id})
    Run.objects.filter(id=caller.id).update(finished_at=timezone.now() - timedelta(days=61))

    assert retention.prune(store).runs == 1
    assert left() == {called.id}
    assert retention.prune(store).runs == 1
    assert detached.id not in left()


def test_a_run_that_somebody_holds_is_stepped_over(store):
    workflow = make_workflow()
    held, free = add(workflow, days=100), add(workflow, days=100)
    other = Connection()

    def hold(cursor):
        cursor.execute("select 1 from automation_run where id = %s for update", (held.id,))
        return retention.prune(store)

    outcome = other.transaction(hold)
    other.close()

    assert outcome.runs == 1
    assert left() == {held.id}
    assert free.id not in left()


def test_figures_are_the_same_before_and_after(store):
    workflow = make_workflow()
    day = datetime.now(UTC).date() - timedelta(days=100)
    for _ in range(3):
        add(workflow, days=100)
    add(workflow, days=100, status=RunStatus.FAILED)
    add(workflow)
    before = statistics.totals([workflow.id])

    retention.prune(store)
    add(workflow, days=100)
    retention.prune(store)  # the same day once more

    after = statistics.totals([workflow.id])
    assert before == {workflow.id: {RunStatus.SUCCEEDED: 4, RunStatus.FAILED: 1}}
    assert after == {workflow.id: {RunStatus.SUCCEEDED: 5, RunStatus.FAILED: 1}}
    rows = RunStatistic.objects.filter(workflow=workflow).order_by("status")
    assert list(rows.values_list("day", "status", "runs", "steps")) == [(day, 50, 4, 4), (day, 51, 1, 1)]
    assert rows[0].total_seconds == pytest.approx(8.0)
    assert rows[0].longest_seconds == pytest.approx(2.0)


def test_batches_are_small_and_a_pass_goes_on_where_time_ran_out(store, monkeypatch):
    monkeypatch.setattr(retention, "MOST_RUNS", 2)
    monkeypatch.setattr(retention, "MOST_EXAMINED", 4)
    workflow = make_workflow()
    runs = [add(workflow, days=100) for _ in range(9)]
    calls = iter([False, False, True, True])  # the first chunk's first batch, then time is up

    first = retention.prune(store, is_over=lambda: next(calls))
    second = retention.prune(store, after=first.next_after)

    assert (first.runs, first.next_after, second.runs, second.batches) == (2, 0, 7, 4)
    assert left() == set()
    assert len(runs) == 9


def test_a_run_with_many_rows_goes_alone(store, monkeypatch):
    monkeypatch.setattr(retention, "LEAST_ROWS", 10)
    monkeypatch.setattr(retention, "MOST_ROWS", 10)
    workflow = make_workflow()
    sizes = [1, 30, 2, 3]
    for size in sizes:
        run = add(workflow, days=100)
        StepRun.objects.bulk_create(StepRun(run=run, path=f"s{n}", status=50) for n in range(size - 1))

    outcome = retention.prune(store)

    assert (outcome.runs, outcome.steps, outcome.batches) == (4, sum(sizes), 3)


def test_a_dry_run_of_the_command_counts_and_deletes_nothing(transactional_db):
    workflow = make_workflow()
    add(workflow, days=100)
    before, said = left(), StringIO()

    call_command("prune", dry_run=True, stdout=said)

    assert left() == before
    assert said.getvalue() == f"        1  {workflow.name} ({workflow.id})\n1 run would go.\n"


def test_the_command_deletes_and_says_how_much(transactional_db):
    add(make_workflow(), days=100)
    said = StringIO()

    call_command("prune", stdout=said)

    assert (left(), said.getvalue()) == (set(), "Deleted 1 run with 1 step.\n")


def test_the_sweep_of_a_worker_prunes_in_a_thread_of_its_own(transactional_db):
    add(make_workflow(), days=100)
    sweeper = retention.Sweeper()

    assert sweeper.start() == 0
    sweeper.wait()

    assert left() == set()
