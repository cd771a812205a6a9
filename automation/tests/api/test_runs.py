"""Runs: listed, read with steps, logs and timing, cancelled."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from automation.engine.status import RunStatus, StepStatus
from automation.models import Run, RunData, RunLog, StepRun, Worker
from automation.tests.api.conftest import Api
from brainops.audit.models import AuditEntry

# how the API shows the rows of `finished`
STEPS = [
    {
        "path": "greeting",
        "kind": "transform",
        "status": "succeeded",
        "attempt": 1,
        "is_kept": False,
        "port": None,
        "effect": None,
        "progress": None,
        "output": {"text": "Hello Ada"},
        "output_ref": None,
        "reason": None,
        "error": None,
        "until": None,
        "started_at": "2026-01-01T12:00:00.500000Z",
        "finished_at": "2026-01-01T12:00:00.750000Z",
        "duration_seconds": 0.25,
    },
    {
        "path": "say",
        "kind": "log",
        "status": "skipped",
        "attempt": 1,
        "is_kept": False,
        "port": None,
        "effect": None,
        "progress": None,
        "output": None,
        "output_ref": None,
        "reason": {"if": False},
        "error": None,
        "until": None,
        "started_at": None,
        "finished_at": "2026-01-01T12:00:01Z",
        "duration_seconds": None,
    },
]
LINES = [
    {
        "seq": 1,
        "at": "2026-01-01T12:00:00.600000Z",
        "level": "info",
        "path": "greeting",
        "attempt": 1,
        "message": "Hi",
        "fields": {"n": 1},
    }
]


def at(second: float) -> datetime:
    return datetime(2026, 1, 1, 12, 0, int(second), round(second % 1 * 1_000_000), UTC)


def start(owner: Api, **body: Any) -> Run:
    workflow_id = owner.make()["id"]
    response = owner.post(f"/workflows/{workflow_id}/execute", body)
    return Run.objects.get(uid=response.json()["id"])


def move(run: Run, **values: Any) -> None:
    Run.objects.filter(id=run.id).update(**values)


@pytest.fixture
def finished(owner: Api) -> Run:
    """A run as a worker leaves it."""
    run = start(owner, inputs={"name": "Ada"})
    move(
        run,
        status=RunStatus.SUCCEEDED,
        attempt=1,
        finishes=1,
        created_at=at(0),
        started_at=at(0.5),
        finished_at=at(2),
    )
    RunData.objects.filter(run=run).update(output={"text": "Hello Ada", "big": 12345678901234567890})
    StepRun.objects.create(
        run=run,
        path="greeting",
        kind="transform",
        status=StepStatus.SUCCEEDED,
        output={"text": "Hello Ada"},
        started_at=at(0.5),
        finished_at=at(0.75),
    )
    StepRun.objects.create(
        run=run, path="say", kind="log", status=StepStatus.SKIPPED, reason={"if": False}, finished_at=at(1)
    )
    RunLog.objects.create(run=run, seq=1, path="greeting", at=at(0.6), message="Hi", fields={"n": 1})
    return run


def test_a_run_is_read_whole(owner: Api, finished: Run):
    body = owner.get(f"/runs/{finished.uid}").json()

    assert body == {
        "id": str(finished.uid),
        "workflow_id": str(finished.workflow_id),
        "workflow_name": "Hello",
        "version": "1.0.0",
        "status": "succeeded",
        "mode": "asynchronous",
        "trigger_id": None,
        "created_by": str(owner.user.id),
        "parent_run_id": None,
        "called_by_run_id": None,
        "called_by_path": None,
        "depth": 0,
        "attempt": 1,
        "crashes": 0,
        "waiting": None,
        "error": None,
        "cancel_requested_at": None,
        "deadline_at": None,
        "created_at": "2026-01-01T12:00:00Z",
        "started_at": "2026-01-01T12:00:00.500000Z",
        "finished_at": "2026-01-01T12:00:02Z",
        "timing": {"queued_seconds": 0.5, "run_seconds": 1.5, "total_seconds": 2.0},
        "is_pinned": False,
        "inputs": {"name": "Ada"},
        "trigger": None,
        "input_ref": None,
        "output": {"text": "Hello Ada", "big": 12345678901234567890},
        "output_ref": None,
        "response": None,
        "waits": [],
        "steps": STEPS,
        "steps_next": None,
        "logs": [
            own_line(0, "2026-01-01T12:00:00Z", "The run was accepted with version 1.0.0."),
            own_line(1, "2026-01-01T12:00:00.500000Z", "The run started."),
            *LINES,
            own_line(2**53 - 1, "2026-01-01T12:00:02Z", "The run succeeded after 1s500ms."),
        ],
        "logs_next": None,
    }


def own_line(seq: int, at: str, message: str) -> dict[str, Any]:
    """What the run says of itself."""
    return {"seq": seq, "at": at, "level": "info", "path": "", "attempt": 1, "message": message, "fields": None}


def test_reading_a_run_takes_three_queries_and_fewer_when_less_is_asked(owner: Api, finished: Run):
    with CaptureQueriesContext(connection) as whole:
        owner.get(f"/runs/{finished.uid}")
    with CaptureQueriesContext(connection) as part:
        body = owner.get(f"/runs/{finished.uid}", fields="status,output").json()

    assert (len(whole), len(part)) == (4, 2)  # with the caller's key
    assert sorted(body) == ["output", "status"]


def test_the_steps_a_worker_is_on_are_shown_as_running(owner: Api):
    run = start(owner)
    busy = [
        {"run": str(run.uid), "path": "say", "attempt": 2, "started_at": at(3).timestamp()},
        {"run": "another", "path": "x", "attempt": 1, "started_at": 0},
    ]
    worker = Worker.objects.create(name="host/0", busy=busy)
    move(run, status=RunStatus.RUNNING, claim=worker.id, worker_id=worker.id, attempt=1, started_at=at(1))
    StepRun.objects.create(run=run, path="greeting", status=StepStatus.SUCCEEDED, started_at=at(1), finished_at=at(2))
    StepRun.objects.create(run=run, path="say", status=StepStatus.RETRYING, started_at=at(2), until=at(3))

    body = owner.get(f"/runs/{run.uid}").json()

    assert body["status"] == "running"
    assert [(step["path"], step["kind"], step["status"], step["attempt"]) for step in body["steps"]] == [
        ("greeting", "", "succeeded", 1),
        ("say", "log", "running", 2),
    ]
    assert body["steps"][1]["started_at"] == "2026-01-01T12:00:03Z"


def test_a_waiting_run_says_what_it_waits_for(owner: Api):
    run = start(owner)
    move(run, status=RunStatus.WAITING, wait_kind=1, wake_at=at(30))

    expected = {"reason": "timer", "until": "2026-01-01T12:00:30Z"}
    assert owner.get(f"/runs/{run.uid}").json()["waiting"] == expected
    assert owner.get("/runs").json()["results"][0]["waiting"] == expected


def test_a_long_log_is_shown_by_its_first_page_and_an_address(owner: Api, finished: Run):
    RunLog.objects.bulk_create(RunLog(run=finished, seq=n, at=at(1), message=str(n)) for n in range(2, 152))

    body = owner.get(f"/runs/{finished.uid}").json()
    page = owner.get(f"/runs/{finished.uid}/logs", limit=120).json()

    assert (len(body["logs"]), body["logs"][-1]["message"]) == (102, "100")
    assert body["logs_next"] == f"/api/v1/automation/runs/{finished.uid}/logs"
    assert [line["seq"] for line in page["results"]] == [0, 1, *range(1, 121)]
    assert page["results"][0] == body["logs"][0]
    assert page["next"] is not None


def test_steps_are_paged_as_they_are_shown(owner: Api, finished: Run):
    body = owner.get(f"/runs/{finished.uid}").json()

    assert owner.get(f"/runs/{finished.uid}/steps").json()["results"] == body["steps"]


def test_the_list_shows_runs_newest_first_without_their_contents(owner: Api, finished: Run):
    second = start(owner)

    rows = owner.get("/runs").json()["results"]

    whole = owner.get(f"/runs/{finished.uid}").json()
    assert [row["id"] for row in rows] == [str(second.uid), str(finished.uid)]
    assert rows[1] == {name: whole[name] for name in rows[1]}
    assert {"steps", "logs", "output", "inputs"} & rows[1].keys() == set()


def test_the_runs_of_a_workflow_are_only_its_own(owner: Api, finished: Run):
    start(owner)

    rows = owner.get(f"/workflows/{finished.workflow_id}/runs").json()["results"]

    assert [row["id"] for row in rows] == [str(finished.uid)]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"status": "succeeded"}, 1),
        ({"status": ["succeeded", "queued"]}, 2),
        ({"status": "failed"}, 0),
        ({"version": "1.0.0"}, 2),
        ({"created_until": "2026-01-02T00:00:00Z"}, 1),
        ({"created_since": "2026-01-02T00:00:00Z"}, 1),
    ],
)
def test_filters_say_which_runs_are_listed(owner: Api, finished: Run, query: dict, count: int):
    start(owner)

    assert len(owner.get("/runs", **query).json()["results"]) == count


@pytest.mark.parametrize("query", [{"status": "done"}, {"workflow_id": "x"}, {"order": "id"}, {"fields": "steps"}])
def test_a_filter_that_means_nothing_is_refused(owner: Api, query: dict):
    assert owner.get("/runs", **query).status_code == 400


def test_the_number_of_queries_of_the_list_does_not_grow(owner: Api):
    for _ in range(3):
        start(owner)

    with CaptureQueriesContext(connection) as queries:
        owner.get("/runs")

    assert len(queries) == 2


@pytest.mark.parametrize("status", [RunStatus.QUEUED, RunStatus.WAITING, RunStatus.BLOCKED])
def test_a_run_nobody_works_on_is_cancelled_at_once(owner: Api, status: RunStatus):
    run = start(owner)
    move(run, status=status)

    response = owner.post(f"/runs/{run.uid}/cancel")

    assert (response.status_code, response.json()["status"]) == (200, "cancelled")
    assert owner.get(f"/runs/{run.uid}").json()["status"] == "cancelled"
    assert AuditEntry.objects.filter(action="run.cancel", target_id=str(run.uid)).count() == 1


def test_the_worker_of_a_running_run_is_told(owner: Api):
    run = start(owner)
    worker = Worker.objects.create(name="host/0")
    move(run, status=RunStatus.RUNNING, claim=worker.id, worker_id=worker.id)

    response = owner.post(f"/runs/{run.uid}/cancel")

    assert (response.status_code, response.json()["status"]) == (202, "running")
    assert owner.get(f"/runs/{run.uid}").json()["cancel_requested_at"] is not None


def test_a_run_that_has_ended_cannot_be_cancelled(owner: Api, finished: Run):
    response = owner.post(f"/runs/{finished.uid}/cancel")

    body = response.json()
    assert (response.status_code, body["code"], body["status"]) == (409, "run_is_final", 409)
    assert body["run_status"] == "succeeded"
    assert AuditEntry.objects.filter(action="run.cancel").count() == 0
