"""What is in a run: steps with their containers, items of loops, waits, effects, log lines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from automation.engine.idempotency import idempotency_key
from automation.engine.status import RunStatus, StepStatus
from automation.models import Approval, Payload, Run, RunLog, StepRun, Worker
from automation.services.secret import idempotency_secret
from automation.store.payloads import CODEC, packed
from automation.tests.api.conftest import Api

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
POST: dict[str, Any] = {"uses": "http.request", "with": {"method": "POST", "url": "https://api.example.com/orders?k=1"}}
LOOPS: dict[str, Any] = {
    "schema": 1,
    "steps": [
        {"id": "send", **POST},
        {"id": "loop", "for_each": {"items": [1, 2, 3], "batch": 2}, "steps": [{"id": "put", **POST}]},
    ],
}


@pytest.fixture
def run(owner: Api) -> Run:
    """A run under way, with a loop of five items in batches of two: the last batch has not begun."""
    workflow_id = owner.make()["id"]
    run = Run.objects.get(uid=owner.post(f"/workflows/{workflow_id}/execute").json()["id"])
    Run.objects.filter(id=run.id).update(status=RunStatus.WAITING, started_at=NOON, wait_kind=1)
    add(run, "loop", StepStatus.OPEN, kind="for_each", output={"items": [10, 11, 12, 13, 14]})
    add(
        run, "loop[0-1]", kind="for_each.batch", output=batch(done(0), done(1, status="failed", error={"message": "x"}))
    )
    waits = {"path": "loop[2].nap", "kind": "delay", "status": "waiting", "attempt": 1, "until": NOON.isoformat()}
    under_way = {"index": 2, "status": "running", "attempt": 1, "steps": [waits]}
    add(run, "loop[2-3]", StepStatus.OPEN, kind="for_each.batch", output=batch(under_way, done(3)))
    return Run.objects.get(id=run.id)


def add(run: Run, path: str, status: StepStatus = StepStatus.SUCCEEDED, **values: Any) -> StepRun:
    return StepRun.objects.create(run=run, path=path, status=status, **{"started_at": NOON, **values})


def batch(*items: dict[str, Any]) -> dict[str, Any]:
    return {"of": "0123456789abcdef", "items": list(items)}


def done(index: int, **values: Any) -> dict[str, Any]:
    return {"index": index, "status": "succeeded", "attempt": 1, "label": f"Item {index}", **values}


def indexes(body: dict[str, Any]) -> list[int]:
    return [item["index"] for item in body["results"]]


def test_a_loop_says_how_far_it_is_and_hides_what_the_engine_keeps_in_it(owner: Api, run: Run):
    steps = owner.get(f"/runs/{run.uid}").json()["steps"]

    assert [(step["path"], step["status"], step["output"], step["progress"]) for step in steps] == [
        ("loop", "open", None, {"items": 5, "succeeded": 2, "failed": 1, "skipped": 0, "active": 1})
    ]


def test_an_ended_loop_says_what_became_of_its_items_without_another_query(owner: Api, run: Run):
    reason = {"type": "for_each", "items": 5, "succeeded": 3, "failed": 1, "cancelled": 1}
    StepRun.objects.filter(run=run, path="loop").update(status=StepStatus.FAILED, reason=reason)

    with CaptureQueriesContext(connection) as queries:
        steps = owner.get(f"/runs/{run.uid}").json()["steps"]

    assert steps[0]["progress"] == {"items": 5, "succeeded": 3, "failed": 2, "skipped": 0, "active": 0}
    assert len(queries) == 4  # the key, the head, the steps, the lines


def test_batches_are_listed_among_the_steps_without_their_items(owner: Api, run: Run):
    rows = owner.get(f"/runs/{run.uid}/steps").json()["results"]

    assert [(row["path"], row["status"], row["output"]) for row in rows] == [
        ("loop", "open", None),
        ("loop[0-1]", "succeeded", None),
        ("loop[2-3]", "open", None),
    ]
    assert rows[1]["progress"] == {"items": 2, "succeeded": 1, "failed": 1, "skipped": 0, "active": 0}


@pytest.mark.parametrize(
    ("query", "paths"),
    [
        ({"path": "loop"}, ["loop", "loop[0-1]", "loop[2-3]"]),
        ({"path": "loo"}, []),
        ({"status": "open"}, ["loop", "loop[2-3]"]),
        ({"status": ["succeeded", "failed"]}, ["loop[0-1]"]),
        ({"status": "running"}, []),
    ],
)
def test_steps_are_found_by_status_and_place(owner: Api, run: Run, query: dict, paths: list[str]):
    rows = owner.get(f"/runs/{run.uid}/steps", **query).json()["results"]

    assert [row["path"] for row in rows] == paths


def test_steps_a_worker_is_on_are_listed_as_running(owner: Api, run: Run):
    busy = [{"run": str(run.uid), "path": "greeting", "attempt": 2, "started_at": NOON.timestamp()}]
    worker = Worker.objects.create(name="host/0", busy=busy)
    Run.objects.filter(id=run.id).update(status=RunStatus.RUNNING, claim=worker.id, worker_id=worker.id, wait_kind=None)

    every = owner.get(f"/runs/{run.uid}/steps").json()["results"]
    only = owner.get(f"/runs/{run.uid}/steps", status="running").json()["results"]

    assert [(row["path"], row["status"]) for row in every][-1] == ("greeting", "running")
    assert [(row["path"], row["kind"], row["attempt"]) for row in only] == [("greeting", "transform", 2)]


def test_the_items_of_a_loop_are_read_over_its_batches(owner: Api, run: Run):
    body = owner.get(f"/runs/{run.uid}/steps/loop/items").json()

    assert (indexes(body), body["next"], body["previous"]) == ([0, 1, 2, 3], None, None)
    assert body["results"][1] == {
        "index": 1,
        "label": "Item 1",
        "status": "failed",
        "attempt": 1,
        "output": None,
        "error": {"message": "x"},
        "steps": None,
    }
    assert body["results"][2]["steps"][0]["path"] == "loop[2].nap"


def test_items_under_way_when_a_run_was_ended_from_outside_are_cancelled(owner: Api, run: Run):
    before = [item["status"] for item in owner.get(f"/runs/{run.uid}/steps/loop/items").json()["results"]]
    Run.objects.filter(id=run.id).update(
        status=RunStatus.TIMED_OUT, finished_at=datetime.now(UTC), finishes=1, claim=None, worker_id=None
    )

    after = [item["status"] for item in owner.get(f"/runs/{run.uid}/steps/loop/items").json()["results"]]

    assert "running" in before
    assert after == ["cancelled" if status == "running" else status for status in before]


def test_items_are_paged_and_found_by_status(owner: Api, run: Run):
    address = f"/runs/{run.uid}/steps/loop/items"

    first = owner.get(address, limit=3).json()
    second = owner.get(first["next"].partition("automation")[2]).json()
    failed = owner.get(address, status="failed").json()

    assert (indexes(first), indexes(second), second["next"]) == ([0, 1, 2], [3], None)
    assert (indexes(failed), failed["next"]) == ([1], None)


def test_a_page_of_a_loop_of_ten_thousand_items_reads_only_the_batches_it_needs(owner: Api, run: Run):
    StepRun.objects.filter(run=run).exclude(path="loop").delete()
    for first in range(0, 10_000, 100):
        items = batch(*(done(index, output={"n": index}) for index in range(first, first + 100)))
        add(run, f"loop[{first}-{first + 99}]", kind="for_each.batch", output=items)

    with CaptureQueriesContext(connection) as queries:
        start = owner.get(f"/runs/{run.uid}/steps/loop/items", limit=200).json()
        failed = owner.get(f"/runs/{run.uid}/steps/loop/items", status="failed").json()

    assert (indexes(start), indexes(failed)) == (list(range(200)), [])
    assert len(queries) == 8  # twice: the key, the run, the loop, one statement over batches


def test_items_of_a_batch_that_stands_beside_its_row_are_read_too(owner: Api, run: Run):
    value = packed(orjson.dumps(batch(done(0, output="x" * 50), done(1, status="failed"))))
    Payload.objects.create(run=run, sha256=value.sha256, size=value.size, codec=CODEC, data=value.data)
    rows = StepRun.objects.filter(run=run, path="loop[0-1]")
    rows.update(output={"preview": "{", "truncated": True}, output_ref=value.sha256)

    body = owner.get(f"/runs/{run.uid}/steps/loop/items", status="failed").json()
    steps = owner.get(f"/runs/{run.uid}").json()["steps"]

    assert indexes(body) == [1]
    assert steps[0]["progress"] == {"items": 5, "succeeded": 2, "failed": 1, "skipped": 0, "active": 1}


@pytest.mark.parametrize(
    "path", ["%00", "loop%00", "a[1]." * 1000 + "b", f"loop[{'9' * 30}].in", f"loop[{'9' * 4400}].in", "[0]", "loop["]
)
def test_an_address_that_can_be_no_loop_is_not_found(owner: Api, run: Run, path: str):
    assert owner.get(f"/runs/{run.uid}/steps/{path}/items").status_code == 404


def test_a_loop_inside_a_loop_shows_its_items_while_the_one_around_it_goes_on(owner: Api, run: Run):
    inner = {"path": "loop[2].in[0-9]", "kind": "for_each.batch", "status": "open", "output": batch(done(0))}
    item = {"index": 2, "status": "running", "steps": [inner | {"attempt": 1}]}
    StepRun.objects.filter(run=run, path="loop[2-3]").update(output=batch(item))

    assert indexes(owner.get(f"/runs/{run.uid}/steps/loop[2].in/items").json()) == [0]
    assert owner.get(f"/runs/{run.uid}/steps/loop[3].in/items").status_code == 404
    assert owner.get(f"/runs/{run.uid}/steps/loop[2].other/items").status_code == 404


def test_the_pass_of_a_while_that_is_under_way_is_its_item(owner: Api, run: Run):
    step = {"path": "again[7].ask", "kind": "http.request", "status": "retrying", "attempt": 1}
    add(run, "again", StepStatus.OPEN, kind="while", output={"passes": 7, "last": None, "steps": [step]})

    body = owner.get(f"/runs/{run.uid}/steps/again/items").json()

    assert [(item["index"], item["status"], item["steps"]) for item in body["results"]] == [(7, "running", [step])]


@pytest.mark.parametrize("path", ["nothing", "loop[0]", "loop[9].x", "[", "loop[1-1]x"])
def test_items_of_what_is_no_loop_are_not_found(owner: Api, run: Run, path: str):
    assert owner.get(f"/runs/{run.uid}/steps/{path}/items").status_code == 404


@pytest.mark.parametrize(
    "query", [{"cursor": "x"}, {"cursor": "YWZ0ZXI9LTU="}, {"limit": 0}, {"status": "done"}, {"q": 1}]
)
def test_a_page_that_means_nothing_is_refused(owner: Api, run: Run, query: dict):
    assert owner.get(f"/runs/{run.uid}/steps/loop/items", **query).status_code == 400
    assert owner.get(f"/runs/{run.uid}/effects", **query).status_code == 400


def test_each_waiting_step_says_what_it_waits_for(owner: Api, run: Run):
    later = NOON + timedelta(hours=1)
    approval = Approval.objects.create(workspace_id=run.workspace_id, run=run, path="ok", title="Pay?")
    child = Run.objects.create(
        workspace_id=run.workspace_id,
        workflow_id=run.workflow_id,
        version_id=run.version_id,
        called_by_run=run,
        called_by_path="sub",
    )
    add(run, "ok", StepStatus.WAITING, reason={"type": "approval", "quorum": 2}, until=later)
    add(run, "sub", StepStatus.WAITING, reason={"type": "child"})
    add(run, "hook", StepStatus.WAITING, reason={"type": "signal", "name": "paid", "url": "https://secret"})
    add(run, "try", StepStatus.RETRYING, error={"message": "503"}, attempt=2, until=later)

    body = owner.get(f"/runs/{run.uid}").json()

    plain = {"until": None, "approval_id": None, "approval_url": None, "signal": None, "run_id": None, "details": {}}
    hour = "2026-01-01T13:00:00Z"
    url = f"/api/v1/automation/approvals/{approval.id}"
    asked = {"approval_id": str(approval.id), "approval_url": url, "details": {"quorum": 2}}
    again = {"error": {"message": "503"}, "attempt": 2}
    assert sorted(body["waits"], key=lambda one: one["path"]) == [
        plain | {"path": "hook", "type": "signal", "signal": "paid", "details": {"name": "paid"}},
        plain | {"path": "loop[2].nap", "type": "timer", "until": "2026-01-01T12:00:00Z"},
        plain | asked | {"path": "ok", "type": "approval", "until": hour},
        plain | {"path": "sub", "type": "child", "run_id": str(child.uid)},
        plain | {"path": "try", "type": "retry", "until": hour, "details": again},
    ]
    assert "secret" not in str(body["waits"])


@pytest.fixture
def effectful(owner: Api, run: Run) -> Run:
    """Two steps with effects and a loop with some: one batch done, one item failed in the middle of two writes."""
    assert owner.put(f"/workflows/{run.workflow_id}", {"name": "Loops", "definition": LOOPS}).status_code == 200
    version = owner.get(f"/workflows/{run.workflow_id}/versions").json()["results"][0]["id"]
    Run.objects.filter(id=run.id).update(version_id=version)
    StepRun.objects.filter(run=run, path__startswith="loop[").delete()
    add(run, "send", StepStatus.UNKNOWN, kind="http.request", effect="create", error={"type": "x", "message": "Lost."})
    add(run, "look", kind="http.request", effect="read")
    wrote = {"path": "loop[0].put", "effect": "create", "status": "succeeded", "attempt": 2}
    lost = {"path": "loop[1].put", "effect": "create", "status": "failed", "attempt": 3}
    row = lost | {"kind": "http.request", "error": {"type": "http_status", "message": "409"}}
    items = batch(done(0, effects=[wrote]), done(1, status="failed", effects=[lost], steps=[row]))
    add(run, "loop[0-1]", kind="for_each.batch", output=items, started_at=NOON + timedelta(seconds=1))
    return Run.objects.get(id=run.id)


def test_the_ledger_lists_what_a_run_did_outside(owner: Api, effectful: Run):
    body = owner.get(f"/runs/{effectful.uid}/effects").json()

    rows = [(row["path"], row["effect"], row["status"], row["attempt"], row["error"]) for row in body["results"]]
    assert rows == [
        ("send", "create", "unknown", 1, "Lost."),
        ("loop[0].put", "create", "confirmed", 2, None),
        ("loop[1].put", "create", "failed", 3, "409"),
    ]
    assert body["results"][0] == {
        "path": "send",
        "kind": "http.request",
        "effect": "create",
        "status": "unknown",
        "attempt": 1,
        "is_kept": False,
        "idempotency_key": idempotency_key(idempotency_secret(), str(effectful.uid), "send"),
        "sends_key": body["results"][0]["sends_key"],
        "target": "POST api.example.com",
        "error": "Lost.",
        "started_at": "2026-01-01T12:00:00Z",
        "finished_at": None,
    }


def test_effects_are_paged_and_found_by_status(owner: Api, effectful: Run):
    address = f"/runs/{effectful.uid}/effects"

    first = owner.get(address, limit=2).json()
    second = owner.get(first["next"].partition("automation")[2]).json()
    unknown = owner.get(address, status="unknown").json()

    assert [row["path"] for row in first["results"] + second["results"]] == ["send", "loop[0].put", "loop[1].put"]
    assert second["next"] is None
    assert [row["path"] for row in unknown["results"]] == ["send"]


def test_a_kept_effect_has_no_key_of_this_run(owner: Api, effectful: Run):
    StepRun.objects.filter(run=effectful, path="send").update(is_kept=True, status=StepStatus.SUCCEEDED)

    row = owner.get(f"/runs/{effectful.uid}/effects").json()["results"][0]

    assert (row["status"], row["is_kept"], row["idempotency_key"]) == ("confirmed", True, None)


@pytest.mark.parametrize(
    ("status", "values", "expected"),
    [
        (StepStatus.STARTED, {}, "started"),
        (StepStatus.RETRYING, {"error": {"type": "http_status"}}, "failed"),
        (StepStatus.FAILED, {"error": {"type": "unknown_outcome"}}, "unknown"),
        (StepStatus.WAITING, {"reason": {"type": "unknown"}}, "unknown"),
        (StepStatus.CANCELLED, {}, "unknown"),
        (StepStatus.CANCELLED, {"reason": {"type": "run_ended"}}, "failed"),
    ],
)
def test_an_effect_is_as_sure_as_its_row(owner: Api, effectful: Run, status: StepStatus, values: dict, expected: str):
    StepRun.objects.filter(run=effectful, path="send").update(status=status, **values)

    assert owner.get(f"/runs/{effectful.uid}/effects").json()["results"][0]["status"] == expected


def test_runs_with_an_unknown_outcome_are_found(owner: Api, effectful: Run):
    asked = Run.objects.get(uid=owner.post(f"/workflows/{effectful.workflow_id}/execute").json()["id"])
    Approval.objects.create(workspace_id=asked.workspace_id, run=asked, path="send", title="?", kind="unknown")
    plain = owner.post(f"/workflows/{effectful.workflow_id}/execute").json()["id"]

    with_it = owner.get("/runs", has_unknown="true").json()["results"]
    without = owner.get("/runs", has_unknown="false").json()["results"]

    assert [row["id"] for row in with_it] == [str(asked.uid), str(effectful.uid)]
    assert [row["id"] for row in without] == [plain]


def test_called_runs_are_found_by_their_caller(owner: Api, run: Run):
    child = Run.objects.create(
        workspace_id=run.workspace_id, workflow_id=run.workflow_id, version_id=run.version_id, called_by_run=run
    )

    rows = owner.get("/runs", called_by_run_id=str(run.uid)).json()["results"]

    assert [row["id"] for row in rows] == [str(child.uid)]


def test_log_lines_are_found_by_step_level_and_attempt(owner: Api, run: Run):
    for seq, (path, level, attempt) in enumerate([("a", "info", 1), ("a", "error", 2), ("b", "info", 1)]):
        RunLog.objects.create(run=run, seq=seq, path=path, level=level, attempt=attempt, at=NOON, message=str(seq))

    def said(**query: Any) -> list[str]:
        return [line["message"] for line in owner.get(f"/runs/{run.uid}/logs", **query).json()["results"]]

    assert said(path="a") == ["0", "1"]
    assert said(level="info", attempt=1) == ["0", "2"]
    assert said(level=["info", "error"], path="a", attempt=2) == ["1"]
    assert said(level="error", since="2026-01-01T11:00:00Z") == ["1"]
    assert said(level="error", since=(NOON + timedelta(seconds=1)).isoformat()) == []


def test_a_log_begins_and_ends_with_what_the_run_says_of_itself(owner: Api, run: Run):
    for seq in range(1_000_001, 1_000_006):
        RunLog.objects.create(run=run, seq=seq, path="loop[3].send", at=NOON, message=str(seq))
    Run.objects.filter(id=run.id).update(
        status=51, finishes=1, created_at=NOON, started_at=NOON, finished_at=NOON + timedelta(seconds=2)
    )
    Run.objects.get(id=run.id).data.__class__.objects.filter(run=run).update(error={"type": "x", "step": "send"})

    first = owner.get(f"/runs/{run.uid}/logs", limit=3).json()
    second = owner.get(first["next"].partition("/automation")[2]).json()

    assert [line["message"] for line in first["results"][:2]] == [
        "The run was accepted with version 1.0.0.",
        "The run started.",
    ]
    assert [line["seq"] for line in first["results"][2:]] == [1_000_001, 1_000_002, 1_000_003]
    assert [line["message"] for line in second["results"]] == ["1000004", "1000005", "The run failed at send after 2s."]
    assert len(owner.get(f"/runs/{run.uid}/logs", path="loop").json()["results"]) == 5
