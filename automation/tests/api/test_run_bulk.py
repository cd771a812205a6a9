"""POST /runs/bulk: cancel many runs, an answer for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from automation.engine.status import RunStatus
from automation.models import Run
from automation.tests.api.conftest import Api
from brainops.accounts.models import Role
from brainops.audit.models import AuditEntry


@pytest.fixture
def start(owner: Api) -> Callable[..., str]:
    """Start a run, and let it be in a state."""
    workflow = owner.make()["id"]

    def run(status: RunStatus = RunStatus.QUEUED) -> str:
        uid = owner.post(f"/workflows/{workflow}/execute").json()["id"]
        values: dict[str, Any] = {"status": status}
        if status is RunStatus.RUNNING:
            values["claim"] = uuid4()
        if status.is_final:
            values |= {"finished_at": "2026-01-01T00:00:00Z", "finishes": 1}
        Run.objects.filter(uid=uid).update(**values)
        return uid

    return run


def test_each_run_is_cancelled_told_to_stop_or_refused(owner: Api, stranger: Api, start: Callable[..., str]):
    waits, works, over = start(), start(RunStatus.RUNNING), start(RunStatus.SUCCEEDED)
    foreign = stranger.post(f"/workflows/{stranger.make()['id']}/execute").json()["id"]

    report = owner.post("/runs/bulk", {"action": "cancel", "ids": [waits, works, over, foreign, waits]}).json()

    assert report["counts"] == {"done": 2, "unchanged": 0, "not_found": 1, "refused": 1, "withheld": 0}
    assert report["results"] == [
        {"id": waits, "status": "done", "problem": None, "run_status": "cancelled"},
        {"id": works, "status": "done", "problem": None, "run_status": "running"},
        {
            "id": over,
            "status": "refused",
            "problem": {"code": "run_is_final", "detail": "The run has ended already: it is succeeded."},
            "run_status": "succeeded",
        },
        {"id": foreign, "status": "not_found", "problem": None},
    ]
    assert Run.objects.get(uid=foreign).status == RunStatus.QUEUED
    assert AuditEntry.objects.filter(action="run.cancel").count() == 2
    assert AuditEntry.objects.get(action="run.bulk").summary == (
        "Bulk cancel of 4 runs: 2 done, 1 refused, 1 not_found."
    )


def test_a_filter_finds_only_runs_under_way(owner: Api, start: Callable[..., str]):
    first, second = start(), start()
    start(RunStatus.FAILED)

    rehearsed = owner.post("/runs/bulk", {"action": "cancel", "filter": {}, "dry_run": True}).json()
    done = owner.post("/runs/bulk", {"action": "cancel", "filter": {"status": ["queued"]}}).json()

    assert [row["id"] for row in rehearsed["results"]] == [row["id"] for row in done["results"]] == [second, first]
    assert (rehearsed["applied"], done["applied"]) == (False, True)
    assert set(Run.objects.values_list("status", flat=True)) == {RunStatus.CANCELLED, RunStatus.FAILED}


def test_all_or_nothing_leaves_all_when_one_has_ended(owner: Api, start: Callable[..., str]):
    ids = [start(), start(RunStatus.SUCCEEDED)]

    answer = owner.post("/runs/bulk", {"action": "cancel", "ids": ids, "all_or_nothing": True})

    assert (answer.status_code, [row["status"] for row in answer.json()["results"]]) == (409, ["withheld", "refused"])
    assert Run.objects.get(uid=ids[0]).status == RunStatus.QUEUED


def test_a_viewer_cancels_nothing_but_runs_of_its_own_workflow(owner: Api, member: Callable[..., Api], start: Any):
    id_ = start()

    report = member(Role.VIEWER).post("/runs/bulk", {"action": "cancel", "ids": [id_]}).json()
    unscoped = member(Role.OWNER, scopes=("runs:read",)).post("/runs/bulk", {"action": "cancel", "ids": [id_]})

    assert [row["problem"]["code"] for row in report["results"]] == ["permission_denied"]
    assert unscoped.status_code == 403


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"action": "retry", "ids": [str(uuid4())]}, "/action"),
        ({"action": "cancel"}, ""),
        ({"action": "cancel", "filter": {"status": ["succeeded"]}}, "/filter/status/0"),
        ({"action": "cancel", "filter": {"created_since": "yesterday"}}, "/filter/created_since"),
    ],
)
def test_a_body_that_means_nothing_is_refused_where_it_is_wrong(owner: Api, body: dict, pointer: str):
    answer = owner.post("/runs/bulk", body)

    assert (answer.status_code, answer.json()["problems"][0]["pointer"]) == (400, pointer)
