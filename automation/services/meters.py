"""What workers count: ends of runs, attempts of steps, and what recovery had to do.

No label names a workspace or a workflow: the number of series does not grow with use. Lists and figures of each
workflow are the API's (`GET /metrics`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from automation.engine.kinds import Done, Fail, Outcome
from automation.engine.status import RunStatus
from automation.store.checkpoint import Entry
from brainops.core.metrics import RUN_BOUNDS, Counter, Histogram

_OUTCOMES = {Done: "succeeded", Fail: "failed"}

RUN_SECONDS = Histogram(
    "brainops_run_duration_seconds", "From a run's acceptance to its end.", ("status",), bounds=RUN_BOUNDS
)
START_SECONDS = Histogram(
    "brainops_run_start_delay_seconds", "From a run's acceptance to its first claim.", ("queue",), bounds=RUN_BOUNDS
)
STEP_SECONDS = Histogram(
    "brainops_step_duration_seconds", "Time of one attempt of a step.", ("kind", "outcome"), bounds=RUN_BOUNDS
)
ENDED = Counter("brainops_runs_ended_total", "Runs that a worker ended, by status.", ("status",))
FAILURES = Counter("brainops_run_failures_total", "Runs that failed, by the class of the error.", ("class",))
STEP_FAILURES = Counter("brainops_step_failures_total", "Attempts that failed, by the class of the error.", ("class",))
STEP_RETRIES = Counter("brainops_step_retries_total", "Attempts beyond the first.")
RECOVERED = Counter("brainops_runs_recovered_total", "Runs taken back from workers that died.")
CLAIMS_LOST = Counter("brainops_claims_lost_total", "Results dropped because the run was somebody else's by then.")
DECLARED_DEAD = Counter("brainops_workers_declared_dead_total", "Workers that others declared dead.")
HEARTBEATS_FAILED = Counter("brainops_heartbeats_failed_total", "Heartbeats that did not reach the database.")


def claimed(queue: str, *, attempt: int, seconds: float) -> None:
    """Count a claim; only the first one says how long the run waited to be started."""
    if attempt == 1:
        START_SECONDS.observe(max(0.0, seconds), (queue,))


def attempted(kind: str, outcome: Outcome, *, number: int, seconds: float) -> None:
    """Count one attempt of a step."""
    STEP_SECONDS.observe(max(0.0, seconds), (kind, _OUTCOMES.get(type(outcome), "waits")))
    if number > 1:
        STEP_RETRIES.add()
    if isinstance(outcome, Fail):
        STEP_FAILURES.add(labels=(outcome.error.error_class.value,))


def committed(entries: Sequence[Entry], standing: Mapping[int, int]) -> None:
    """Count what a commit did: runs that ended, and results that came too late. `standing` is status by run id."""
    for entry in entries:
        status = standing.get(entry.run_id)
        if status is None:
            CLAIMS_LOST.add()
        elif status >= RunStatus.SUCCEEDED:
            _ended(entry, RunStatus(status))


def timed_out(count: int) -> None:
    """Count runs whose deadline passed while nobody held them."""
    if count:
        ENDED.add(count, (RunStatus.TIMED_OUT.word,))
        FAILURES.add(count, ("timeout",))


def _ended(entry: Entry, status: RunStatus) -> None:
    ENDED.add(labels=(status.word,))
    if entry.seconds is not None:
        RUN_SECONDS.observe(max(0.0, entry.seconds), (status.word,))
    if status in (RunStatus.FAILED, RunStatus.TIMED_OUT) and entry.move is not None:
        FAILURES.add(labels=(str((entry.move.error or {}).get("class", "internal")),))
