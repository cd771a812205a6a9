"""Replays: many runs retried at once, each exactly once, at a bounded pace."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from automation.engine.status import RunStatus, StepStatus
from automation.models import Replay, ReplayItem, Run, StepRun, Workflow
from automation.services import retries
from automation.services.replays_due import replays_due
from automation.tests.api.conftest import Api, make_person, make_workspace
from brainops.accounts.models import ApiKey, Membership, Role
from brainops.audit.models import AuditEntry

FAILS: dict[str, Any] = {
    "schema": 1,
    "steps": [
        {"id": "send", "uses": "http.request", "with": {"method": "POST", "url": "https://api.example.com/x"}},
        {"id": "check", "uses": "fail", "needs": ["send"], "with": {"message": "no"}},
    ],
}


@pytest.fixture
def workflow_id(owner: Api) -> str:
    return owner.make(definition=FAILS)["id"]


@pytest.fixture
def failed(owner: Api, workflow_id: str) -> Callable[[], Run]:
    """Make a run that failed after an effect."""

    def make() -> Run:
        run = Run.objects.get(uid=owner.post(f"/workflows/{workflow_id}/execute").json()["id"])
        StepRun.objects.create(run=run, path="send", kind="http.request", status=StepStatus.SUCCEEDED, effect="create")
        StepRun.objects.create(run=run, path="check", kind="fail", status=StepStatus.FAILED)
        Run.objects.filter(id=run.id).update(status=RunStatus.FAILED, finished_at="2026-01-01T00:00:00Z", finishes=1)
        return run

    return make


@pytest.fixture
def queued(owner: Api, workflow_id: str) -> Run:
    """A run that has not ended."""
    return Run.objects.get(uid=owner.post(f"/workflows/{workflow_id}/execute").json()["id"])


def due(id_: str) -> None:
    """Let the next run of a replay be due now."""
    Replay.objects.filter(id=id_).update(next_at="2026-01-01T00:00:00Z")


def ids(*runs: Run) -> list[str]:
    return [str(run.uid) for run in runs]


def order(caller: Api, **body: Any) -> dict[str, Any]:
    response = caller.post("/replays", body)
    assert response.status_code == 202, response.content
    return response.json()


def run_all(id_: str) -> int:
    """Tick until the replay is over; a tick starts one run, since the pace keeps the next one back."""
    started = 0
    while Replay.objects.get(id=id_).state == "running":
        due(id_)
        started += replays_due(seconds=0.001)
    return started


def test_chosen_runs_are_retried_each_once(owner: Api, failed: Callable[[], Run]):
    first, second = failed(), failed()

    replay = order(owner, runs=ids(first, second))
    started = run_all(replay["id"])

    assert started == 2
    assert [run.retries.count() for run in (first, second)] == [1, 1]
    shown = owner.get(f"/replays/{replay['id']}").json()
    assert (shown["state"], shown["runs"]) == ("done", {"total": 2, "started": 2, "refused": 0, "waiting": 0})
    assert shown["options"] == {"from": "failed", "version": "same"}
    items = owner.get(f"/replays/{replay['id']}/items").json()["results"]
    assert [(item["run_id"], item["status"], item["new_run_status"]) for item in items] == [
        (str(first.uid), "started", "queued"),
        (str(second.uid), "started", "queued"),
    ]
    kept = StepRun.objects.filter(run__uid=items[0]["new_run_id"], is_kept=True).values_list("path", flat=True)
    assert list(kept) == ["send"]


def test_a_filter_finds_runs_that_have_ended(owner: Api, failed: Callable[[], Run], workflow_id: str):
    run = failed()
    owner.post(f"/workflows/{workflow_id}/execute")

    replay = order(owner, filter={"workflow_id": workflow_id}, **{"from": "start"})

    assert replay["runs"]["total"] == 1
    assert list(ReplayItem.objects.values_list("run_id", flat=True)) == [run.id]
    none = owner.post("/replays", {"filter": {"workflow_id": workflow_id, "status": ["timed_out"]}})
    assert (none.status_code, none.json()["code"]) == (400, "no_runs")


def test_a_preview_counts_runs_refusals_and_effects_and_starts_nothing(
    owner: Api, failed: Callable[[], Run], queued: Run
):
    first = failed()

    again = owner.post("/replays/preview", {"runs": ids(first, queued), "from": "start"}).json()
    kept = owner.post("/replays/preview", {"runs": ids(first)}).json()

    assert again == {
        "runs": 2,
        "looked_at": 2,
        "is_sample": False,
        "refused": {"run_not_final": 1},
        "kept_steps": 0,
        "repeats": {"create": 1},
        "firsts": {},
    }
    assert (kept["kept_steps"], kept["repeats"]) == (1, {})
    assert (Replay.objects.count(), Run.objects.count()) == (0, 2)


def test_a_run_that_cannot_be_repeated_is_an_item_with_its_reason(owner: Api, failed: Callable[[], Run], queued: Run):
    second = failed()

    replay = order(owner, runs=ids(queued, second))
    run_all(replay["id"])

    refused = owner.get(f"/replays/{replay['id']}/items", status="refused").json()["results"]
    assert [(item["run_id"], item["new_run_id"], item["error"]["code"]) for item in refused] == [
        (str(queued.uid), None, "run_not_final")
    ]
    assert second.retries.count() == 1


def test_the_pace_is_kept(owner: Api, failed: Callable[[], Run]):
    replay = order(owner, runs=ids(failed(), failed(), failed()), per_minute=1)

    assert [replays_due(), replays_due()] == [1, 0]
    due(replay["id"])
    assert replays_due() == 1


def test_a_crash_between_two_runs_repeats_nothing(
    owner: Api, failed: Callable[[], Run], monkeypatch: pytest.MonkeyPatch
):
    run = failed()
    replay = order(owner, runs=ids(run))
    whole = retries.retry

    def dies_after_the_start(*around: Any, **values: Any) -> Any:
        whole(*around, **values)
        raise KeyboardInterrupt

    monkeypatch.setattr(retries, "retry", dies_after_the_start)
    with pytest.raises(KeyboardInterrupt):
        replays_due()
    monkeypatch.undo()
    assert (run.retries.count(), ReplayItem.objects.get().is_done) == (0, False)

    run_all(replay["id"])

    assert run.retries.count() == 1
    assert run.retries.get().dedupe_key == f"replay:{ReplayItem.objects.get().id}"


def test_an_item_that_the_database_refuses_holds_up_no_other(
    owner: Api, failed: Callable[[], Run], monkeypatch: pytest.MonkeyPatch
):
    first, second = failed(), failed()
    id_ = order(owner, runs=ids(first, second))["id"]
    retry = retries.retry

    def refuse_the_first(caller: Any, uid: Any, *given: Any, **named: Any) -> Any:
        if uid == first.uid:
            with connection.cursor() as cursor:
                cursor.execute("select 1 / 0")
        return retry(caller, uid, *given, **named)

    monkeypatch.setattr(retries, "retry", refuse_the_first)

    assert run_all(id_) == 1
    shown = owner.get(f"/replays/{id_}").json()
    assert (shown["state"], shown["runs"]) == ("done", {"total": 2, "started": 1, "refused": 1, "waiting": 0})


def test_a_cancelled_replay_starts_no_further_run(owner: Api, failed: Callable[[], Run]):
    replay = order(owner, runs=ids(failed(), failed()), per_minute=1)
    replays_due()

    cancelled = owner.post(f"/replays/{replay['id']}/cancel")
    due(replay["id"])

    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    assert replays_due() == 0
    again = owner.post(f"/replays/{replay['id']}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "replay_is_over")
    waiting = owner.get(f"/replays/{replay['id']}/items", status="waiting").json()["results"]
    assert len(waiting) == 1
    assert set(AuditEntry.objects.filter(target_kind="replay").values_list("action", flat=True)) == {
        "replay.start",
        "replay.cancel",
    }


def test_who_lost_the_right_starts_nothing_more(owner: Api, member: Any, failed: Callable[[], Run]):
    operator = member(Role.OPERATOR)
    run, other = failed(), failed()
    demoted, gone = order(operator, runs=ids(run)), order(operator, runs=ids(other))
    Membership.objects.filter(user=operator.user).update(role=Role.VIEWER)
    run_all(demoted["id"])
    Membership.objects.filter(user=operator.user).delete()
    run_all(gone["id"])

    errors = ReplayItem.objects.order_by("id").values_list("error__code", flat=True)
    assert list(errors) == ["permission_denied", "permission_denied"]
    assert Run.objects.filter(parent_run__isnull=False).count() == 0


@pytest.mark.parametrize("lost", [{"revoked_at": "2026-01-01T00:00:00Z"}, {"expires_at": "2026-01-01T00:00:00Z"}])
def test_a_replay_ends_with_the_key_that_ordered_it(owner: Api, failed: Callable[[], Run], lost: dict[str, str]):
    replay = order(owner, runs=ids(failed()))

    ApiKey.objects.filter(user=owner.user).update(**lost)
    run_all(replay["id"])

    assert list(ReplayItem.objects.values_list("error__code", flat=True)) == ["permission_denied"]
    assert Run.objects.filter(parent_run__isnull=False).count() == 0


def test_the_list_of_replays_refuses_parameters_it_does_not_know(owner: Api):
    assert (owner.get("/replays", limit=1).status_code, owner.get("/replays", state="done").status_code) == (200, 400)


def test_a_viewer_replays_only_what_is_its_own(owner: Api, member: Any, failed: Callable[[], Run], workflow_id: str):
    viewer = member(Role.VIEWER)
    run = failed()

    refused = viewer.post("/replays", {"runs": ids(run)})
    Workflow.objects.filter(id=workflow_id).update(owner=viewer.user)
    mine = order(viewer, runs=ids(run))

    assert refused.status_code == 403
    assert run_all(mine["id"]) == 1


def test_a_stranger_sees_no_replay_and_replays_no_run(owner: Api, stranger: Api, failed: Callable[[], Run]):
    run = failed()
    id_ = order(owner, runs=ids(run))["id"]

    foreign = stranger.post("/replays", {"runs": ids(run)})

    assert (foreign.status_code, foreign.json()["problems"][0]["pointer"]) == (400, "/runs/0")
    assert stranger.get("/replays").json()["results"] == []
    for method, path in [("GET", ""), ("GET", "/items"), ("POST", "/cancel")]:
        assert stranger.send(method, f"/replays/{id_}{path}").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"runs": [], "from": "start"},
        {"runs": ["x"]},
        {"runs": ["00000000-0000-4000-8000-000000000000"]},
        {"filter": {"status": ["running"]}},
        {"filter": {"workflow_id": "x"}},
        {"filter": {}, "runs": ["00000000-0000-4000-8000-000000000000"]},
        {"filter": {}, "per_minute": 0},
        {"filter": {}, "from": 3},
    ],
)
def test_an_order_that_means_nothing_is_refused(owner: Api, body: Any):
    assert owner.post("/replays", body).status_code == 400
    assert owner.post("/replays/preview", body).status_code == 400


def test_more_runs_than_the_limit_are_refused(owner: Api, failed: Callable[[], Run], settings: Any, workflow_id: str):
    settings.BRAINOPS_LIMITS = {**settings.BRAINOPS_LIMITS, "replay_runs": 1}
    failed(), failed()

    response = owner.post("/replays", {"filter": {"workflow_id": workflow_id}})

    assert (response.status_code, response.json()["code"]) == (400, "too_many_runs")


def test_the_same_key_orders_once(owner: Api, failed: Callable[[], Run]):
    body = {"runs": ids(failed())}

    first = owner.post("/replays", body, idempotency_key="k")
    second = owner.post("/replays", body, idempotency_key="k")

    assert first.json() == second.json()
    assert Replay.objects.count() == 1


def test_lists_cost_the_same_queries_whatever_they_hold(owner: Api, failed: Callable[[], Run]):
    replay = order(owner, runs=ids(failed(), failed(), failed()))
    order(owner, runs=ids(failed()))

    with CaptureQueriesContext(connection) as of_replays:
        owner.get("/replays")
    with CaptureQueriesContext(connection) as of_items:
        owner.get(f"/replays/{replay['id']}/items")

    assert (len(of_replays), len(of_items)) == (2, 3)  # the key, the replay, the rows


@pytest.mark.django_db(transaction=True)
def test_several_processes_that_tick_together_start_each_run_once():
    owner = make_person(make_workspace())
    workflow_id = owner.make(definition=FAILS)["id"]
    for _ in range(40):
        run = owner.post(f"/workflows/{workflow_id}/execute").json()["id"]
        Run.objects.filter(uid=run).update(status=RunStatus.FAILED, finished_at="2026-01-01T00:00:00Z", finishes=1)
    orders = [order(owner, filter={"workflow_id": workflow_id}, per_minute=3000, **{"from": "start"}) for _ in "12"]

    def tick(_number: int) -> int:
        try:
            return sum(replays_due(seconds=0.2) for _ in range(8))
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as processes:
        started = sum(processes.map(tick, range(3)))
    for one in orders:
        started += run_all(one["id"])

    assert started == 80
    assert Run.objects.filter(dedupe_key__startswith="replay:").values("dedupe_key").distinct().count() == 80
    assert set(Replay.objects.values_list("state", "started", "refused")) == {("done", 40, 0)}
