"""Workflows: create, read, replace, change, delete."""

from __future__ import annotations

import copy
import uuid

import pytest

from automation.models import Workflow, WorkflowVersion
from automation.tests.api.conftest import HELLO, Api
from brainops.audit.models import AuditEntry


def changed(**with_: str) -> dict:
    """HELLO with another first step."""
    definition = copy.deepcopy(HELLO)
    definition["steps"][0]["with"] = {"set": with_ or {"text": "Good day"}}
    return definition


def test_a_created_workflow_is_shown_whole(owner: Api):
    response = owner.post("/workflows", {"name": "Hello", "definition": HELLO, "tags": ["a"], "meta_data": {"k": 1}})

    body = response.json()
    assert response.status_code == 201
    assert response.headers["Location"] == f"/api/v1/automation/workflows/{body['id']}"
    assert response.headers["ETag"] == body["etag"] == '"1.0.0-r1"'
    assert body == {
        "id": body["id"],
        "name": "Hello",
        "description": "",
        "definition": HELLO,
        "tags": ["a"],
        "meta_data": {"k": 1},
        "is_active": True,
        "retention": None,
        "archived_at": None,
        "version": "1.0.0",
        "owner": str(owner.user.id),
        "etag": '"1.0.0-r1"',
        "created_at": body["created_at"],
        "updated_at": body["created_at"],
    }
    assert owner.get(f"/workflows/{body['id']}").json() == body


def test_everything_wrong_with_a_workflow_is_told_at_once(owner: Api):
    definition = {"schema": 1, "steps": [{"id": "a", "uses": "nothing"}, {"id": "a", "uses": "log", "with": {}}]}

    response = owner.post("/workflows", {"name": " ", "definition": definition, "tags": "x", "nmae": 1})

    body = response.json()
    places = {(problem["pointer"], problem["code"]) for problem in body["problems"]}
    assert response.status_code == 400
    assert response.headers["Content-Type"] == "application/problem+json"
    assert places >= {("/name", "invalid_value"), ("/tags", "wrong_type"), ("/nmae", "unknown_field")}
    assert {pointer for pointer, _ in places} >= {"/definition/steps/0/uses", "/definition/steps/1/id"}
    assert Workflow.objects.count() == 0


@pytest.mark.parametrize("body", [None, [], "text", 5, {}])
def test_a_body_that_is_no_workflow_is_refused(owner: Api, body: object):
    assert owner.post("/workflows", body).status_code == 400


def test_a_changed_definition_makes_the_next_patch_version(owner: Api):
    id_ = owner.make()["id"]

    body = owner.put(f"/workflows/{id_}", {"name": "Hello", "definition": changed(), "note": "politer"}).json()

    assert (body["version"], body["etag"]) == ("1.0.1", '"1.0.1-r2"')
    newest = WorkflowVersion.objects.get(workflow_id=id_, ordinal=2)
    assert (newest.number, newest.note, newest.definition) == ("1.0.1", "politer", changed())
    assert Workflow.objects.get(id=id_).current_version_id == newest.id


@pytest.mark.parametrize(("bump", "number"), [("patch", "1.0.1"), ("minor", "1.1.0"), ("major", "2.0.0")])
def test_the_caller_may_choose_which_part_of_the_number_rises(owner: Api, bump: str, number: str):
    id_ = owner.make()["id"]

    body = owner.put(f"/workflows/{id_}", {"name": "Hello", "definition": changed(), "bump": bump}).json()

    assert body["version"] == number


@pytest.mark.parametrize(
    "change", [{"name": "Other"}, {"description": "Said."}, {"tags": ["x"]}, {"meta_data": {"a": None}}]
)
def test_changed_content_of_any_kind_makes_a_version(owner: Api, change: dict):
    id_ = owner.make()["id"]

    body = owner.put(f"/workflows/{id_}", {"name": "Hello", "definition": HELLO, **change}).json()

    assert body["version"] == "1.0.1"


def test_an_identical_put_makes_no_version_and_changes_nothing(owner: Api):
    before = owner.make()

    after = owner.put(f"/workflows/{before['id']}", {"name": "Hello", "definition": HELLO}).json()

    assert after == before
    assert WorkflowVersion.objects.count() == 1


def test_true_is_not_the_number_one(owner: Api):
    id_ = owner.make(meta_data={"flag": 1})["id"]

    body = owner.put(f"/workflows/{id_}", {"name": "Hello", "definition": HELLO, "meta_data": {"flag": True}}).json()

    assert (body["version"], body["meta_data"]) == ("1.0.1", {"flag": True})


def test_the_canvas_is_saved_without_a_version(owner: Api):
    id_ = owner.make()["id"]

    body = owner.put(f"/workflows/{id_}", {"name": "Hello", "definition": {**HELLO, "ui": {"x": 1}}}).json()

    assert (body["version"], body["definition"]["ui"], body["etag"]) == ("1.0.0", {"x": 1}, '"1.0.0-r2"')
    assert WorkflowVersion.objects.count() == 1


def test_switching_off_makes_no_version(owner: Api):
    id_ = owner.make()["id"]

    body = owner.patch(f"/workflows/{id_}", {"is_active": False}).json()

    assert (body["is_active"], body["version"], body["etag"]) == (False, "1.0.0", '"1.0.0-r2"')


def test_a_put_without_the_switch_leaves_it_off(owner: Api):
    id_ = owner.make(is_active=False)["id"]

    assert owner.put(f"/workflows/{id_}", {"name": "New", "definition": HELLO}).json()["is_active"] is False


def test_what_was_read_can_be_sent_back(owner: Api):
    before = owner.make()

    assert owner.put(f"/workflows/{before['id']}", before).json() == before


def test_a_member_that_cannot_be_set_is_refused_by_name(owner: Api):
    before = owner.make()
    body = {**before, "owner": str(uuid.uuid4()), "version": "9.0.0"}

    response = owner.put(f"/workflows/{before['id']}", body)

    assert response.status_code == 400
    assert [(problem["pointer"], problem["code"]) for problem in response.json()["problems"]] == [
        ("/version", "read_only"),
        ("/owner", "read_only"),
    ]


def test_put_replaces_and_patch_merges(owner: Api):
    id_ = owner.make(description="Said.", tags=["a"], meta_data={"a": 1, "b": {"c": 2}})["id"]

    patched = owner.patch(f"/workflows/{id_}", {"meta_data": {"a": None, "b": {"d": 3}}}).json()
    replaced = owner.put(f"/workflows/{id_}", {"name": "Hello", "definition": HELLO}).json()

    assert (patched["description"], patched["tags"], patched["meta_data"]) == ("Said.", ["a"], {"b": {"c": 2, "d": 3}})
    assert (replaced["description"], replaced["tags"], replaced["meta_data"]) == ("", [], {})


def test_a_patch_of_one_part_of_the_definition_keeps_the_rest(owner: Api):
    id_ = owner.make()["id"]

    body = owner.patch(f"/workflows/{id_}", {"definition": {"output": None}}).json()

    assert body["definition"] == {key: value for key, value in HELLO.items() if key != "output"}


def test_a_stale_if_match_changes_nothing_and_names_both_versions(owner: Api):
    before = owner.make()
    owner.put(f"/workflows/{before['id']}", {"name": "Second", "definition": HELLO})

    late = owner.put(f"/workflows/{before['id']}", {"name": "Late", "definition": HELLO}, if_match=before["etag"])

    body = late.json()
    assert late.status_code == 412
    assert (body["code"], body["your_version"], body["current_version"]) == ("version_mismatch", "1.0.0", "1.0.1")
    assert owner.get(f"/workflows/{before['id']}").json()["name"] == "Second"


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_the_right_if_match_is_accepted(owner: Api, method: str):
    before = owner.make()

    response = owner.send(
        method, f"/workflows/{before['id']}", {"name": "New", "definition": HELLO}, if_match=before["etag"]
    )

    assert (response.status_code, response.json()["name"]) == (200, "New")


def test_a_stale_if_match_deletes_nothing(owner: Api):
    id_ = owner.make()["id"]

    assert owner.delete(f"/workflows/{id_}", if_match='"0.9.0-r1"').status_code == 412
    assert Workflow.objects.filter(id=id_).exists()


def test_a_deleted_workflow_takes_everything_along(owner: Api):
    id_ = owner.make()["id"]
    owner.post(f"/workflows/{id_}/execute")
    expected = {"would_delete": {"runs": 1, "triggers": 0, "versions": 1}}

    preview = owner.send("DELETE", f"/workflows/{id_}?dry_run=true")
    response = owner.delete(f"/workflows/{id_}")

    assert (preview.status_code, preview.json()) == (200, expected)
    assert (response.status_code, response.content) == (204, b"")
    assert owner.get(f"/workflows/{id_}").status_code == 404
    assert WorkflowVersion.objects.filter(workflow_id=id_).count() == 0
    entry = AuditEntry.objects.get(action="workflow.delete")
    assert entry.summary == "Deleted workflow 'Hello' with 1 run, 1 version."


def test_each_change_is_audited(owner: Api):
    id_ = owner.make()["id"]
    owner.put(f"/workflows/{id_}", {"name": "New", "definition": HELLO})
    owner.patch(f"/workflows/{id_}", {"is_active": False})

    entries = AuditEntry.objects.filter(target_kind="workflow").order_by("id")

    assert [(entry.action, entry.changes) for entry in entries] == [
        ("workflow.create", {"version": [None, "1.0.0"]}),
        ("workflow.update", {"version": ["1.0.0", "1.0.1"]}),
        ("workflow.update", {"is_active": [True, False]}),
    ]


def test_the_same_idempotency_key_creates_one_workflow(owner: Api):
    body = {"name": "Hello", "definition": HELLO}

    first = owner.post("/workflows", body, idempotency_key="k1")
    second = owner.post("/workflows", body, idempotency_key="k1")

    assert second.json() == first.json()
    assert (second.status_code, second.headers["Location"]) == (201, first.headers["Location"])
    assert second.headers["Brainops-Duplicate"] == "true"
    assert Workflow.objects.count() == 1
