"""/admin/…: staff who log in see all workspaces; nobody else sees anything."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from automation.engine.status import RunStatus
from automation.models import Run, RunData, Workflow
from automation.tests.api.conftest import Api
from automation.tests.api.people import Login
from brainops.accounts.models import Membership, Role
from brainops.accounts.services import api_keys
from brainops.accounts.tests.conftest import TEST
from brainops.audit.models import AuditEntry

ADDRESSES = ("/admin/workflows", f"/admin/workflows/user/{UUID(int=1)}", "/admin/runs", "/admin/stats")


@pytest.fixture
def staff(db: None) -> Login:
    return Login(is_staff=True)


def ended(caller: Api, workflow_id: str, status: RunStatus = RunStatus.SUCCEEDED, seconds: float = 1.0) -> Run:
    """A run of the caller's that ended just now."""
    uid = caller.post(f"/workflows/{workflow_id}/execute").json()["id"]
    with connection.cursor() as cursor:
        cursor.execute(
            "update automation_run set status = %s, finishes = 1, finished_at = now(),"
            " started_at = now() - make_interval(secs => %s) where uid = %s",
            [status, seconds, uid],
        )
    return Run.objects.get(uid=uid)


@pytest.mark.parametrize("address", ADDRESSES)
def test_only_staff_who_log_in_are_let_in(owner: Api, staff: Login, address: str):
    """An owner is no staff, and a key is none, though its user be one."""
    Membership.objects.create(user=staff.user, workspace=owner.workspace, role=Role.OWNER)
    key = api_keys.issue(staff.user, owner.workspace, name="k", role=Role.OWNER, scopes=["*"], by=TEST)
    of_key = Login()
    of_key._client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {key.text}"

    answers = [caller.get(address) for caller in (owner, of_key, Login())]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(403, "staff_only")] * 3


def test_a_key_of_staff_is_no_staff_even_with_every_scope(owner: Api):
    owner.user.is_staff = True
    owner.user.save()

    assert owner.get("/admin/stats").status_code == 403
    assert owner.get("/health").json() == {"status": "ok"}


def test_who_is_staff_no_more_is_out_at_the_next_request(staff: Login):
    before = staff.get("/admin/stats").status_code
    staff.user.is_staff = False
    staff.user.save()

    assert (before, staff.get("/admin/stats").status_code) == (200, 403)


def test_staff_sees_the_workflows_of_all_with_workspace_and_owner(owner: Api, stranger: Api, staff: Login):
    mine, other = owner.make(name="Mine", tags=["x"]), stranger.make(name="Other")

    rows = staff.get("/admin/workflows").json()["results"]

    assert [row["id"] for row in rows] == [other["id"], mine["id"]]
    home = owner.workspace
    assert rows[1] == {
        **{name: mine[name] for name in ("id", "name", "description", "tags", "is_active", "archived_at", "version")},
        **{name: mine[name] for name in ("created_at", "updated_at")},
        "workspace": {"id": str(home.id), "slug": home.slug, "name": home.name},
        "owner": {"id": str(owner.user.id), "email": owner.user.email},
    }


def test_the_list_of_workflows_takes_filters(owner: Api, stranger: Api, staff: Login):
    owner.make(name="Orders", tags=["sales"])
    owner.make(name="Off", is_active=False)
    stranger.make(name="Order of others")

    def names(**query: Any) -> list[str]:
        return [row["name"] for row in staff.get("/admin/workflows", ordering="name", **query).json()["results"]]

    assert names(search="order") == ["Order of others", "Orders"]
    assert names(workspace=str(owner.workspace.id)) == ["Off", "Orders"]
    assert names(owner=str(stranger.user.id)) == ["Order of others"]
    assert (names(tag="sales"), names(is_active="false"), names(is_archived="true")) == (["Orders"], ["Off"], [])
    assert staff.get("/admin/workflows", nonsense="1").status_code == 400


def test_the_workflows_of_one_user_and_of_nobody(owner: Api, stranger: Api, staff: Login):
    mine = owner.make()["id"]
    stranger.make()

    found = staff.get(f"/admin/workflows/user/{owner.user.id}")
    nobody = staff.get(f"/admin/workflows/user/{uuid4()}")

    assert [row["id"] for row in found.json()["results"]] == [mine]
    assert nobody.status_code == 404
    assert staff.get(f"/admin/workflows/user/{staff.user.id}").json()["results"] == []


def test_staff_sees_the_runs_of_all(owner: Api, stranger: Api, staff: Login):
    mine = ended(owner, owner.make(name="Mine")["id"], RunStatus.FAILED, 2)
    other = ended(stranger, stranger.make()["id"])

    rows = staff.get("/admin/runs").json()["results"]

    assert [row["id"] for row in rows] == [str(other.uid), str(mine.uid)]
    assert (rows[1]["workflow_name"], rows[1]["status"], rows[1]["workspace"]["slug"], rows[1]["owner"]["email"]) == (
        "Mine",
        "failed",
        owner.workspace.slug,
        owner.user.email,
    )
    assert rows[1]["timing"]["run_seconds"] == 2.0
    for query in ({"status": "failed"}, {"workspace": str(owner.workspace.id)}, {"owner": str(owner.user.id)}):
        assert [row["id"] for row in staff.get("/admin/runs", **query).json()["results"]] == [str(mine.uid)]


@pytest.mark.parametrize("address", ["/admin/workflows", "/admin/runs"])
def test_pages_follow_each_other_with_a_fixed_number_of_queries(owner: Api, staff: Login, address: str):
    workflow = owner.make()["id"]
    for _ in range(3):
        owner.make()
        ended(owner, workflow)
    with CaptureQueriesContext(connection) as queries:
        staff.get(address, limit=2)
    with CaptureQueriesContext(connection) as more:
        staff.get(address, limit=3)
    counted = (len(queries), len(more))
    first = staff.get(address, limit=2).json()
    cursor = first["next"].partition("cursor=")[2].partition("&")[0]
    second = staff.get(address, limit=2, cursor=cursor).json()

    ids = [row["id"] for row in first["results"] + second["results"]]
    assert len(set(ids)) == len(ids) >= 3
    assert counted == (2, 2)  # the login, the page


def test_the_figures_of_the_installation(owner: Api, stranger: Api, staff: Login):
    fast, slow = owner.make(name="Fast")["id"], stranger.make(name="Slow")["id"]
    ended(owner, fast, seconds=1)
    ended(owner, fast, seconds=1)
    ended(owner, fast, RunStatus.CANCELLED)
    failed = ended(stranger, slow, RunStatus.FAILED, 60)
    RunData.objects.filter(run=failed).update(error={"type": "http_status", "class": "permanent", "message": "x"})
    owner.post(f"/workflows/{fast}/execute")

    stats = staff.get("/admin/stats").json()

    counts = {"succeeded": 2, "failed": 1, "cancelled": 1, "timed_out": 0}
    assert (stats["total"], stats["by_status"], stats["success_rate"]) == (4, counts, 0.6667)
    assert stats["previous"]["total"] == 0
    assert stats["ever"] == counts
    durations = stats["duration_seconds"]
    assert durations["p50"] == pytest.approx(1, rel=0.1)
    assert durations["p99"] == pytest.approx(60, rel=0.1)
    assert (durations["longest"], durations["average"]) == (60, pytest.approx(62 / 3, rel=0.001))
    assert [(row["name"], row["runs"], row["failed"]) for row in stats["slowest"]] == [("Slow", 1, 1), ("Fast", 3, 0)]
    assert [(row["type"], row["error_class"], row["runs"]) for row in stats["failures"]] == [
        ("http_status", "permanent", 1)
    ]
    assert (len(stats["series"]), stats["series"][-1]["total"]) == (24, 4)
    assert (stats["queue"]["queued"], stats["workers"]) == (1, [])
    assert stats["inventory"]["workflows"] == stats["inventory"]["active_workflows"] == 2
    assert stats["inventory"]["workspaces"] == 2


@pytest.mark.parametrize(("period", "places", "unit"), [("24h", 24, "hour"), ("7d", 7, "day"), ("90d", 90, "day")])
def test_a_period_says_how_far_back(staff: Login, period: str, places: int, unit: str):
    stats = staff.get("/admin/stats", period=period).json()

    assert (len(stats["series"]), stats["span"]["unit"], stats["span"]["period"]) == (places, unit, period)
    assert stats["series"][0]["at"] == stats["span"]["since"]
    assert staff.get("/admin/stats", period="1y").status_code == 400


def test_staff_with_the_right_changes_workflows_of_anybody(owner: Api, stranger: Api, staff: Login):
    mine, other = owner.make()["id"], stranger.make()["id"]
    body = {"action": "deactivate", "ids": [mine, other, str(uuid4())]}

    looking = staff.post("/admin/workflows/bulk", body)
    staff.user.user_permissions.add(Permission.objects.get(codename="change_workflow"))
    changing = staff.post("/admin/workflows/bulk", body)
    deleting = staff.post("/admin/workflows/bulk", {"action": "delete", "ids": [mine]})

    assert (looking.status_code, deleting.status_code) == (403, 403)
    assert [row["status"] for row in changing.json()["results"]] == ["done", "done", "not_found"]
    assert not Workflow.objects.filter(is_active=True).exists()
    entry = AuditEntry.objects.get(action="workflow.update", target_id=other)
    assert (entry.workspace_id, entry.actor_id) == (stranger.workspace.id, staff.user.id)


def test_staff_gives_workflows_only_to_members_of_their_workspace(owner: Api, stranger: Api):
    boss = Login(is_staff=True, is_superuser=True)
    mine, other = owner.make()["id"], stranger.make()["id"]

    answer = boss.post(
        "/admin/workflows/bulk", {"action": "assign", "ids": [mine, other], "owner": str(stranger.user.id)}
    )

    assert [row["status"] for row in answer.json()["results"]] == ["refused", "unchanged"]
    assert answer.json()["results"][0]["problem"]["code"] == "owner_is_no_member"
