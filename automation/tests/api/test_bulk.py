"""POST /workflows/bulk: one verb on many workflows, an answer for each, and nothing half done."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from automation.models import Run, Trigger, Workflow, WorkflowVersion
from automation.tests.api.conftest import Api
from brainops.accounts.models import Membership, Role, User
from brainops.audit.models import AuditEntry


def bulk(caller: Api, action: str, *ids: str, **body: Any) -> dict[str, Any]:
    given = {"action": action, **({"ids": list(ids)} if ids else {}), **body}
    response = caller.post("/workflows/bulk", given)
    assert response.status_code == 200, response.content
    return response.json()


def statuses(report: dict[str, Any]) -> list[str]:
    return [result["status"] for result in report["results"]]


def make(caller: Api, count: int, **fields: Any) -> list[str]:
    return [caller.make(name=f"Workflow {number}", **fields)["id"] for number in range(count)]


def test_each_workflow_gets_its_answer_in_the_order_asked(owner: Api, stranger: Api):
    on, off = owner.make(name="On")["id"], owner.make(name="Off", is_active=False)["id"]
    foreign, missing = stranger.make()["id"], str(uuid4())

    report = bulk(owner, "deactivate", foreign, on, off, missing, on)

    assert report == {
        "action": "deactivate",
        "dry_run": False,
        "applied": True,
        "total": 4,
        "counts": {"done": 1, "unchanged": 1, "not_found": 2, "refused": 0, "withheld": 0},
        "results": [
            {"id": foreign, "status": "not_found", "problem": None},
            {"id": on, "status": "done", "problem": None, "version": "1.0.0", "etag": '"1.0.0-r2"'},
            {"id": off, "status": "unchanged", "problem": None, "version": "1.0.0", "etag": '"1.0.0-r1"'},
            {"id": missing, "status": "not_found", "problem": None},
        ],
    }
    assert owner.get(f"/workflows/{on}").headers["ETag"] == '"1.0.0-r2"'
    assert Workflow.objects.get(id=foreign).is_active


@pytest.mark.parametrize(
    ("action", "body", "before", "after"),
    [
        ("activate", {}, {"is_active": False}, {"is_active": True, "version": "1.0.0"}),
        ("tag", {"tags": ["b", "a"]}, {"tags": ["a"]}, {"tags": ["a", "b"], "version": "1.0.1"}),
        ("untag", {"tags": ["a", "z"]}, {"tags": ["a", "b"]}, {"tags": ["b"], "version": "1.0.1"}),
        (
            "archive",
            {"meta_data": {"why": "old", "team": None}},
            {"meta_data": {"team": "x", "keep": 1}},
            {"meta_data": {"why": "old", "keep": 1}, "version": "1.0.1"},
        ),
    ],
)
def test_an_action_does_what_a_single_request_would(owner: Api, action: str, body: dict, before: dict, after: dict):
    id_ = owner.make(**before)["id"]

    assert statuses(bulk(owner, action, id_, **body)) == ["done"]

    shown = owner.get(f"/workflows/{id_}").json()
    assert {name: shown[name] for name in after} == after
    assert statuses(bulk(owner, action, id_, **body)) == ["unchanged"]


def test_a_change_of_content_makes_a_version_with_the_same_document(owner: Api):
    id_ = owner.make(tags=["a"])["id"]

    bulk(owner, "tag", id_, tags=["b"], note="Sorted.")

    first, second = WorkflowVersion.objects.filter(workflow=id_).order_by("ordinal")
    assert (second.ordinal, second.number, second.tags, second.note) == (2, "1.0.1", ["a", "b"], "Sorted.")
    assert (second.definition, second.checksum, second.name) == (first.definition, first.checksum, first.name)
    assert second.author_id == owner.user.id
    assert Workflow.objects.get(id=id_).current_version_id == second.id
    assert owner.post(f"/workflows/{id_}/execute").json()["version"] == "1.0.1"


def test_an_archived_workflow_starts_nothing_until_it_is_taken_out(owner: Api):
    id_ = owner.make()["id"]

    bulk(owner, "archive", id_)
    refused = owner.post(f"/workflows/{id_}/execute")
    bulk(owner, "unarchive", id_)

    assert (refused.status_code, refused.json()["code"]) == (409, "workflow_archived")
    assert owner.post(f"/workflows/{id_}/execute").status_code == 202


def test_a_deletion_says_what_went_along(owner: Api):
    one, two = make(owner, 2)
    owner.post(f"/workflows/{one}/execute")
    Trigger.objects.create(workspace=owner.workspace, workflow_id=one, kind="schedule", config={})

    rehearsed = bulk(owner, "delete", one, two, dry_run=True)
    report = bulk(owner, "delete", one, two)

    assert [result["deleted"]["runs"] for result in report["results"]] == [1, 0]
    assert [result["deleted"]["triggers"] for result in report["results"]] == [1, 0]
    assert report["results"] == rehearsed["results"]
    assert not Workflow.objects.filter(workspace=owner.workspace).exists()
    assert not Run.objects.filter(workspace=owner.workspace).exists()


def test_workflows_are_given_only_to_members(owner: Api, member: Callable[..., Api], stranger: Api):
    id_, colleague = owner.make()["id"], member(Role.VIEWER)
    gone = member(Role.BUILDER)
    User.objects.filter(id=gone.user.id).update(is_active=False)

    report = bulk(owner, "assign", id_, owner=str(colleague.user.id))
    refusals = [
        owner.post("/workflows/bulk", {"action": "assign", "ids": [id_], "owner": str(user)})
        for user in (stranger.user.id, gone.user.id, uuid4())
    ]

    assert (statuses(report), Workflow.objects.get(id=id_).owner_id) == (["done"], colleague.user.id)
    assert [(answer.status_code, answer.json()["code"]) for answer in refusals] == [(400, "owner_is_no_member")] * 3
    assert len({answer.content.partition(b'"request_id"')[0] for answer in refusals}) == 1


def test_a_creator_keeps_the_verbs_on_what_is_its_own(owner: Api, member: Callable[..., Api]):
    """A builder who became a viewer."""
    person = member(Role.BUILDER)
    mine, other = person.make()["id"], owner.make()["id"]
    Membership.objects.filter(user=person.user).update(role=Role.VIEWER)

    report = bulk(person, "delete", mine, other)

    assert statuses(report) == ["done", "refused"]
    assert report["results"][1]["problem"]["code"] == "permission_denied"
    assert Workflow.objects.filter(id=other).exists()


@pytest.mark.parametrize(
    ("role", "scopes", "action", "body"),
    [
        (Role.BUILDER, ("*",), "assign", {"owner": str(uuid4())}),
        (Role.OWNER, ("workflows:read", "workflows:update"), "delete", {}),
        (Role.OWNER, ("workflows:read", "workflows:delete"), "archive", {}),
        (Role.OWNER, ("runs:*",), "archive", {}),
    ],
)
def test_each_action_asks_for_its_own_right(owner: Api, member: Callable[..., Api], role, scopes, action, body):
    id_ = owner.make()["id"]

    answer = member(role, scopes=scopes).post("/workflows/bulk", {"action": action, "ids": [id_], **body})

    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


def test_all_or_nothing_changes_nothing_when_one_cannot_be(owner: Api, stranger: Api):
    fine, foreign = owner.make()["id"], stranger.make()["id"]
    given = {"action": "delete", "ids": [fine, foreign], "all_or_nothing": True}

    answer = owner.post("/workflows/bulk", given)

    assert (answer.status_code, answer.json()["code"]) == (409, "bulk_refused")
    assert [row["status"] for row in answer.json()["results"]] == ["withheld", "not_found"]
    assert Workflow.objects.filter(id=fine).exists()
    assert not AuditEntry.objects.filter(action__in=("workflow.delete", "workflow.bulk")).exists()


def test_all_or_nothing_does_all_when_all_can_be(owner: Api):
    ids = make(owner, 3)

    assert statuses(bulk(owner, "archive", *ids, all_or_nothing=True)) == ["done"] * 3


@pytest.mark.parametrize("action", ["deactivate", "archive", "delete", "tag"])
def test_a_dry_run_answers_and_leaves_no_trace(owner: Api, action: str):
    ids = make(owner, 2)
    before = list(Workflow.objects.order_by("id").values())
    versions, entries = WorkflowVersion.objects.count(), AuditEntry.objects.count()

    report = bulk(owner, action, *ids, dry_run=True, **({"tags": ["x"]} if action == "tag" else {}))

    assert (report["applied"], report["dry_run"], statuses(report)) == (False, True, ["done", "done"])
    assert list(Workflow.objects.order_by("id").values()) == before
    assert (WorkflowVersion.objects.count(), AuditEntry.objects.count()) == (versions, entries)


def test_a_filter_stands_for_what_the_list_shows_with_it(owner: Api, stranger: Api):
    tagged = make(owner, 2, tags=["old"])
    owner.make(name="New")
    stranger.make(tags=["old"])

    report = bulk(owner, "archive", filter={"tag": ["old"], "is_archived": False})

    assert [result["id"] for result in report["results"]] == tagged[::-1]
    assert Workflow.objects.filter(archived_at__isnull=False).count() == 2


def test_if_match_holds_for_each_one(owner: Api):
    stale, present, unsaid = make(owner, 3)
    owner.patch(f"/workflows/{stale}", {"is_active": False})
    states = {stale: '"1.0.0-r1"', present: '"1.0.0-r1"'}

    report = bulk(owner, "archive", stale, present, unsaid, if_match=states)

    assert statuses(report) == ["refused", "done", "done"]
    assert report["results"][0]["problem"]["code"] == "version_mismatch"
    assert report["results"][0]["etag"] == '"1.0.0-r2"'


def test_a_workspace_that_wants_if_match_wants_it_here_too(owner: Api):
    said, unsaid = make(owner, 2)
    owner.workspace.requires_if_match = True
    owner.workspace.save()

    report = bulk(owner, "archive", said, unsaid, if_match={said: '"1.0.0-r1"'})

    assert statuses(report) == ["done", "refused"]
    assert report["results"][1]["problem"]["code"] == "if_match_required"


def test_every_workflow_has_an_entry_and_so_has_the_call(owner: Api):
    one, two = make(owner, 2)
    AuditEntry.objects.count()

    bulk(owner, "deactivate", one, two, str(uuid4()))

    entries = AuditEntry.objects.order_by("-id")[:3]
    call, *items = entries
    assert (call.action, call.target_id, call.changes) == (
        "workflow.bulk",
        str(owner.workspace.id),
        {"counts": {"done": 2, "not_found": 1}},
    )
    assert call.summary == "Bulk deactivate of 3 workflows: 2 done, 1 not_found."
    assert {(item.action, item.target_id) for item in items} == {("workflow.update", one), ("workflow.update", two)}
    assert [item.changes for item in items] == [{"is_active": [True, False]}] * 2
    assert all(entry.request_id and entry.ip for entry in entries)


def test_the_same_request_twice_is_done_once(owner: Api):
    id_ = owner.make()["id"]
    body = {"action": "delete", "ids": [id_]}

    first = owner.post("/workflows/bulk", body, idempotency_key="k")
    again = owner.post("/workflows/bulk", body, idempotency_key="k")
    other = owner.post("/workflows/bulk", {**body, "dry_run": True}, idempotency_key="k")

    assert first.json() == again.json()
    assert again.headers["Brainops-Duplicate"] == "true"
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")


def test_more_than_the_limit_is_refused_whichever_way_it_is_asked(owner: Api, settings: Any):
    settings.BRAINOPS_LIMITS = {**settings.BRAINOPS_LIMITS, "bulk_items": 2}
    ids = make(owner, 3)

    named = owner.post("/workflows/bulk", {"action": "archive", "ids": ids})
    found = owner.post("/workflows/bulk", {"action": "archive", "filter": {}})

    assert [(answer.status_code, answer.json()["code"]) for answer in (named, found)] == [(400, "too_many_items")] * 2
    assert [answer.json()["problems"][0]["pointer"] for answer in (named, found)] == ["/ids", "/filter"]
    assert not Workflow.objects.filter(archived_at__isnull=False).exists()


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"action": "paint", "ids": []}, "/action"),
        ({"action": "archive"}, ""),
        ({"action": "archive", "ids": [str(uuid4())], "filter": {}}, ""),
        ({"action": "archive", "ids": ["x"]}, "/ids/0"),
        ({"action": "archive", "ids": [7]}, "/ids/0"),
        ({"action": "archive", "filter": {"owner": "me"}}, "/filter/owner"),
        ({"action": "archive", "filter": {"workspace_id": "x"}}, "/filter/workspace_id"),
        ({"action": "tag", "ids": [str(uuid4())]}, ""),
        ({"action": "archive", "ids": [str(uuid4())], "tags": ["x"]}, "/tags"),
        ({"action": "assign", "ids": [str(uuid4())], "owner": "x"}, "/owner"),
        ({"action": "archive", "ids": [str(uuid4())], "if_match": {"x": "y"}}, "/if_match/0"),
        ({"action": "archive", "ids": [str(uuid4())], "workspace": "x"}, "/workspace"),
    ],
)
def test_a_body_that_means_nothing_is_refused_where_it_is_wrong(owner: Api, body: dict, pointer: str):
    answer = owner.post("/workflows/bulk", body)

    assert answer.status_code == 400
    assert answer.json()["problems"][0]["pointer"] == pointer


def test_too_many_tags_are_refused_for_that_one(owner: Api):
    full, roomy = owner.make(tags=[f"t{number}" for number in range(50)])["id"], owner.make()["id"]

    report = bulk(owner, "tag", full, roomy, tags=["one more"])

    assert statuses(report) == ["refused", "done"]
    assert report["results"][0]["problem"]["code"] == "too_many_tags"


@pytest.mark.parametrize("action", ["archive", "tag", "delete"])
def test_the_number_of_queries_does_not_grow_with_the_workflows(owner: Api, action: str):
    body = {"tags": ["x"]} if action == "tag" else {}
    one, *many = make(owner, 21)
    with CaptureQueriesContext(connection) as few:
        bulk(owner, action, one, **body)
    with CaptureQueriesContext(connection) as lots:
        bulk(owner, action, *many, **body)

    assert len(lots) <= len(few)


def test_an_export_is_written_by_a_worker_from_what_the_caller_may_export(owner: Api, stranger: Api):
    one, two, foreign = *make(owner, 2), stranger.make()["id"]

    rehearsed = bulk(owner, "export", one, foreign, dry_run=True)
    report = bulk(owner, "export", one, two, foreign, format="yaml")

    assert (statuses(rehearsed), rehearsed["export"]) == (["done", "not_found"], None)
    assert statuses(report) == ["done", "done", "not_found"]
    made = owner.get(f"/exports/{report['export']['id']}").json()
    assert (made["state"], made["format"], made["progress"]["total"]) == ("queued", "yaml", 2)
    assert Workflow.objects.get(id=one).revision == 1
    actions = AuditEntry.objects.filter(action__startswith="workflow.", target_kind="workflow")
    assert actions.filter(action="workflow.export").count() == 2


def test_a_viewer_exports_nothing(owner: Api, member: Callable[..., Api]):
    report = bulk(member(Role.VIEWER), "export", owner.make()["id"])

    assert (statuses(report), report["export"]) == (["refused"], None)


@pytest.mark.django_db(transaction=True)
def test_two_requests_at_once_lose_nothing_and_never_lock_crosswise(owner: Api):
    ids = make(owner, 12)

    with ThreadPoolExecutor(2) as people:
        first = people.submit(bulk, owner, "tag", *ids, tags=["one"])
        second = people.submit(bulk, owner, "tag", *ids[::-1], tags=["two"])
        reports = [first.result(60), second.result(60)]
        people.submit(connections.close_all).result()
        people.submit(connections.close_all).result()

    assert [statuses(report) for report in reports] == [["done"] * 12] * 2
    assert {(tuple(sorted(row.tags)), row.version) for row in Workflow.objects.all()} == {(("one", "two"), "1.0.2")}
    assert WorkflowVersion.objects.filter(ordinal=3).count() == 12
