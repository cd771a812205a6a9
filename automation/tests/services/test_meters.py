"""What workers count: ends, attempts, failures by class, and the work of recovery."""

from __future__ import annotations

from uuid import uuid4

import pytest

from automation.engine.kinds import Done, ErrorClass, Fail, Sleep, StepError
from automation.engine.status import RunStatus
from automation.services import meters
from automation.store.checkpoint import Entry, Move
from brainops.core import metrics

TIMEOUT = Fail(StepError("timeout", "It took too long.", ErrorClass.TIMEOUT))


@pytest.fixture(autouse=True)
def _anew():
    metrics.take_all()


def counted(*names: str) -> dict:
    """What was counted, without the buckets of histograms."""
    taken = metrics.take_all()
    return {(name, *labels): amount for (name, labels, part), amount in taken.items() if name in names and not part}


def entry(run_id: int, status: RunStatus, *, error: dict | None = None, seconds: float | None = 1.5) -> Entry:
    return Entry(run_id, uuid4(), move=Move(status, error=error), seconds=seconds)


def test_runs_are_counted_by_the_status_they_really_got():
    entries = [
        entry(1, RunStatus.SUCCEEDED),
        entry(2, RunStatus.SUCCEEDED),  # somebody cancelled it meanwhile
        entry(3, RunStatus.FAILED, error={"class": "timeout"}),
        entry(4, RunStatus.WAITING),
        entry(5, RunStatus.SUCCEEDED),  # its claim was lost
    ]

    meters.committed(entries, {1: 50, 2: 52, 3: 51, 4: 30})

    assert counted("brainops_runs_ended_total", "brainops_run_failures_total", "brainops_claims_lost_total") == {
        ("brainops_runs_ended_total", "succeeded"): 1,
        ("brainops_runs_ended_total", "cancelled"): 1,
        ("brainops_runs_ended_total", "failed"): 1,
        ("brainops_run_failures_total", "timeout"): 1,
        ("brainops_claims_lost_total",): 1,
    }


def test_the_duration_of_a_run_goes_into_its_bucket():
    meters.committed([entry(1, RunStatus.SUCCEEDED, seconds=1.5)], {1: 50})

    taken = metrics.take_all()
    assert taken["brainops_run_duration_seconds", ("succeeded",), "2.5"] == 1
    assert taken["brainops_run_duration_seconds", ("succeeded",), "sum"] == 1.5


def test_attempts_are_counted_by_kind_and_outcome_and_those_beyond_the_first_are_retries():
    meters.attempted("http.request", TIMEOUT, number=1, seconds=0.2)
    meters.attempted("http.request", Done({}), number=2, seconds=0.2)
    meters.attempted("delay", Sleep(5.0), number=1, seconds=0.0)

    taken = metrics.take_all()
    seen = {labels for name, labels, _ in taken if name == "brainops_step_duration_seconds"}
    assert seen == {("http.request", "failed"), ("http.request", "succeeded"), ("delay", "waits")}
    assert taken["brainops_step_retries_total", (), ""] == 1
    assert taken["brainops_step_failures_total", ("timeout",), ""] == 1


def test_only_the_first_claim_says_how_long_a_run_waited_to_start():
    meters.claimed("bulk", attempt=1, seconds=3.0)
    meters.claimed("bulk", attempt=2, seconds=900.0)

    assert metrics.take_all()["brainops_run_start_delay_seconds", ("bulk",), "sum"] == 3.0


def test_runs_that_time_out_in_nobodys_hands_are_counted_too():
    meters.timed_out(0)
    meters.timed_out(3)

    assert counted("brainops_runs_ended_total", "brainops_run_failures_total") == {
        ("brainops_runs_ended_total", "timed_out"): 3,
        ("brainops_run_failures_total", "timeout"): 3,
    }
