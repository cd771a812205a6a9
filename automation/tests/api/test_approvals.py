"""/approvals: people see what asks them and decide by POST."""

import pytest

from automation.engine.status import RunStatus
from automation.models import Approval
from automation.tests.api.conftest import make_person
from automation.tests.approvals.rows import ask, make_run, move, state
from brainops.accounts.models import Role

VERBS = ("approve", "reject", "answer", "reassign")


def ids(response):
    assert response.status_code == 200, response.content
    return [row["id"] for row in response.json()["results"]]


def test_an_approval_shows_everything_somebody_needs_to_decide(owner, home):
    form = {"type": "object", "properties": {"percent": {"type": "number"}}}
    approval = ask(home, title="Discount?", message="For Acme", form=form, assignees=("role:owner",), quorum=2)

    shown = owner.get(f"/approvals/{approval.id}").json()

    run = approval.run
    assert shown.pop("created_at")
    assert shown == {
        "id": str(approval.id),
        "kind": "approval",
        "state": "pending",
        "title": "Discount?",
        "message": "For Acme",
        "run_id": str(run.uid),
        "run_url": f"/api/v1/automation/runs/{run.uid}",
        "workflow_id": str(run.workflow_id),
        "workflow_name": run.workflow.name,
        "path": "ask",
        "attempt": 1,
        "assignees": ["role:owner"],
        "quorum": 2,
        "votes": [],
        "form": form,
        "data": None,
        "comment": "",
        "decided_by": "",
        "decided_at": None,
        "expires_at": None,
        "escalates_at": None,
        "escalate_to": [],
        "may_decide": True,
    }


def test_an_approval_is_decided_by_post(owner, home):
    approval = ask(home, form={"type": "object"})

    first = owner.post(f"/approvals/{approval.id}/approve", {"comment": "Yes.", "data": {"a": 1}})
    again = owner.post(f"/approvals/{approval.id}/approve", {"comment": "Yes.", "data": {"a": 1}})
    other = owner.post(f"/approvals/{approval.id}/reject", {"comment": "No."})

    said = first.json()
    assert (first.status_code, said["state"], said["data"], said["may_decide"]) == (200, "approved", {"a": 1}, False)
    assert (again.status_code, again.json()) == (200, said)
    assert (other.status_code, other.json()["code"]) == (409, "approval_decided")
    assert state(approval.run) == ("queued", 1)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_nothing_is_decided_by_another_method(owner, home, verb, method):
    approval = ask(home)

    response = owner.send(method, f"/approvals/{approval.id}/{verb}")

    assert response.status_code == 405
    assert state(approval.run) == ("waiting", 0)


@pytest.mark.parametrize("verb", VERBS)
def test_a_stranger_a_viewer_and_a_key_without_the_scope_decide_nothing(stranger, member, home, verb):
    approval = ask(home, kind="unknown" if verb == "answer" else "approval")
    body = {"answer": {"answer": "fail"}, "reassign": {"assignees": ["role:viewer"]}}.get(verb, {})
    narrow = member(Role.OWNER, scopes=("approvals:read", "runs:*"))

    answers = [who.post(f"/approvals/{approval.id}/{verb}", body) for who in (stranger, member(Role.VIEWER), narrow)]

    assert [response.status_code for response in answers] == [404, 403, 403]
    assert state(approval.run) == ("waiting", 0)


def test_a_stranger_sees_none(stranger, home):
    approval = ask(home)

    assert stranger.get(f"/approvals/{approval.id}").status_code == 404
    assert ids(stranger.get("/approvals")) == []
    assert stranger.get("/approvals", run_id=str(approval.run.uid)).json()["results"] == []


def test_a_list_is_filtered_by_state_and_by_whom_it_asks(member, home):
    ann, ben = member(Role.OPERATOR), member(Role.VIEWER)
    everybody = ask(home)
    for_ben = ask(home, assignees=(f"user:{ben.user.username}",))
    for_admins = ask(home, assignees=("role:admin",))
    ended = ask(home)
    move(ended.run, RunStatus.CANCELLED)
    rejected = ask(home, kind="unknown")
    ann.post(f"/approvals/{rejected.id}/answer", {"answer": "fail"})

    newest_first = [str(row.id) for row in (rejected, ended, for_admins, for_ben, everybody)]
    assert ids(ann.get("/approvals")) == newest_first
    assert ids(ann.get("/approvals", state="pending")) == [str(row.id) for row in (for_admins, for_ben, everybody)]
    assert ids(ann.get("/approvals", state="pending", assigned_to="me")) == [str(everybody.id)]
    assert ids(ben.get("/approvals", state="pending", assigned_to="me")) == [str(for_ben.id)]
    assert ids(ann.get("/approvals", state=["withdrawn", "fail"])) == [str(rejected.id), str(ended.id)]
    assert ids(ann.get("/approvals", kind="unknown")) == [str(rejected.id)]
    assert ids(ann.get("/approvals", run_id=str(for_ben.run.uid))) == [str(for_ben.id)]
    assert ids(ann.get("/approvals", workflow_id=str(ended.run.workflow_id))) == [str(ended.id)]
    assert ann.get(f"/approvals/{ended.id}").json()["state"] == "withdrawn"


def test_pages_follow_each_other(owner, home):
    run = make_run(home)
    made = [str(ask(home, run=run, path=f"loop[{n}].ask").id) for n in range(5)]

    first = owner.get("/approvals", limit=3).json()
    second = owner._client.get(first["next"]).json()

    shown = [row["id"] for row in first["results"] + second["results"]]
    assert (shown, second["next"]) == (made[::-1], None)


def test_what_is_wrong_with_a_request_is_said(owner, home):
    approval = ask(home, form={"type": "object", "required": ["percent"]})
    unknown = ask(home, kind="unknown")

    answers = [
        owner.get("/approvals", state="open"),
        owner.get("/approvals", assigned_to="bob"),
        owner.post(f"/approvals/{approval.id}/approve", {"data": {}}),
        owner.post(f"/approvals/{approval.id}/approve", {"verdict": "yes"}),
        owner.post(f"/approvals/{approval.id}/reassign", {"assignees": ["bob"]}),
        owner.post(f"/approvals/{unknown.id}/answer", {"answer": "maybe"}),
        owner.post(f"/approvals/{unknown.id}/answer", {}),
    ]

    problems = [response.json()["problems"][0] for response in answers]
    assert [response.status_code for response in answers] == [400] * 7
    assert [problem.get("parameter") or problem["pointer"] for problem in problems] == [
        "state",
        "assigned_to",
        "/data",
        "/verdict",
        "/assignees/0",
        "/answer",
        "",
    ]


def test_an_approval_is_handed_on(owner, home):
    approval = ask(home, assignees=("role:owner",))
    colleague = make_person(home, Role.VIEWER)

    response = owner.post(f"/approvals/{approval.id}/reassign", {"assignees": [f"user:{colleague.user.email}"]})

    assert response.json()["assignees"] == [f"user:{colleague.user.email}"]
    assert colleague.post(f"/approvals/{approval.id}/approve").json()["decided_by"] == colleague.user.username


def test_the_number_of_queries_of_a_list_does_not_grow(owner, home, django_assert_max_num_queries):
    for _ in range(20):
        ask(home)

    with django_assert_max_num_queries(8):
        assert len(ids(owner.get("/approvals"))) == 20
    assert Approval.objects.count() == 20
