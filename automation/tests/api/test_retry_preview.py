"""The preview of a retry: what stays, what goes again, which effects would happen a second time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from automation.engine.status import RunStatus, StepStatus
from automation.models import Run, StepRun
from automation.tests.api.conftest import Api
from brainops.accounts.models import Role

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
WRITES: dict[str, Any] = {"uses": "http.request", "with": {"method": "POST", "url": "https://api.example.com/x"}}
# send → check → tell, and a loop beside them
DOCUMENT: dict[str, Any] = {
    "schema": 1,
    "steps": [
        {"id": "send", **WRITES},
        {"id": "check", "uses": "fail", "needs": ["send"], "with": {"message": "no"}},
        {"id": "tell", "needs": ["check"], **WRITES},
        {"id": "loop", "for_each": {"items": [1, 2], "on_item_error": "continue"}, "steps": [{"id": "put", **WRITES}]},
    ],
}


def row(run: Run, path: str, status: StepStatus = StepStatus.SUCCEEDED, **values: Any) -> None:
    at = NOON + timedelta(seconds=run.steps.count())
    StepRun.objects.create(run=run, path=path, status=status, started_at=at, **values)


def wrote(index: int, status: str) -> dict[str, Any]:
    done = {"path": f"loop[{index}].put", "effect": "create", "status": status, "attempt": 1}
    return {"index": index, "status": status, "attempt": 1, "effects": [done]}


@pytest.fixture
def failed(owner: Api) -> Run:
    """A run that sent, failed at the check, and did one of two items."""
    id_ = owner.make(definition=DOCUMENT)["id"]
    run = Run.objects.get(uid=owner.post(f"/workflows/{id_}/execute").json()["id"])
    row(run, "send", effect="create", kind="http.request")
    row(run, "check", StepStatus.FAILED, kind="fail")
    row(run, "loop", kind="for_each", reason={"type": "for_each", "items": 2, "succeeded": 1, "failed": 1})
    items = [wrote(0, "succeeded"), wrote(1, "failed")]
    row(run, "loop[0-1]", StepStatus.FAILED, kind="for_each.batch", output={"of": "x", "items": items})
    Run.objects.filter(id=run.id).update(status=RunStatus.FAILED, finished_at="2026-01-01T00:00:00Z", finishes=1)
    return run


def preview(caller: Api, run: Run, **body: Any) -> dict[str, Any]:
    response = caller.post(f"/runs/{run.uid}/retry/preview", body)
    assert response.status_code == 200, response.content
    return response.json()


def effects(body: dict[str, Any]) -> list[tuple[str, bool, str | None]]:
    return [(one["path"], one["has_happened"], one["was"]) for one in body["effects"]]


def test_a_retry_from_what_failed_repeats_no_effect_that_happened(owner: Api, failed: Run):
    body = preview(owner, failed)

    assert (body["version"], body["repeats"]) == ("1.0.0", {})
    assert body["kept"] == ["send"]
    assert body["again"] == ["check", "tell", "loop"]
    assert effects(body) == [("loop[1].put", False, "failed"), ("tell", False, None)]
    assert body["note"].startswith("The new run has idempotency keys of its own")


def test_a_retry_from_the_start_says_which_effects_happen_a_second_time(owner: Api, failed: Run):
    body = preview(owner, failed, **{"from": "start"})

    assert (body["kept"], body["repeats"]) == ([], {"create": 2})
    assert effects(body) == [
        ("send", True, "confirmed"),
        ("loop[0].put", True, "confirmed"),
        ("loop[1].put", False, "failed"),
        ("tell", False, None),
    ]
    assert body["effects"][0] == {
        "path": "send",
        "kind": "http.request",
        "effect": "create",
        "has_happened": True,
        "was": "confirmed",
        "sends_key": True,
        "target": "POST api.example.com",
    }


def test_an_item_that_is_named_goes_again_although_it_succeeded(owner: Api, failed: Run):
    body = preview(owner, failed, **{"from": "loop[0]"})

    assert "loop[0]" in body["again"]
    assert ("loop[0].put", True, "confirmed") in effects(body)
    assert body["repeats"] == {"create": 1}


def test_a_preview_starts_nothing(owner: Api, failed: Run):
    preview(owner, failed, **{"from": "start"})

    assert Run.objects.count() == 1


def test_a_preview_is_refused_like_the_retry_itself(owner: Api, failed: Run):
    unknown = owner.post(f"/runs/{failed.uid}/retry/preview", {"from": "nothing"})
    queued = owner.post(f"/workflows/{failed.workflow_id}/execute").json()["id"]
    early = owner.post(f"/runs/{queued}/retry/preview", {})

    assert (unknown.status_code, unknown.json()["problems"][0]["pointer"]) == (400, "/from")
    assert (early.status_code, early.json()["code"]) == (409, "run_not_final")


def test_a_viewer_may_not_plan_a_retry_and_a_stranger_sees_no_run(owner: Api, member: Any, stranger: Api, failed: Run):
    address = f"/runs/{failed.uid}/retry/preview"

    assert member(Role.VIEWER).post(address, {}).status_code == 403
    assert member(Role.OPERATOR).post(address, {}).status_code == 200
    assert stranger.post(address, {}).status_code == 404
