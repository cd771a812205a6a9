"""Two people at once: a late change is refused with what the other did; what a reader has is not sent again."""

from __future__ import annotations

from typing import Any

import pytest

from automation.tests.api.conftest import HELLO, Api
from brainops.accounts.models import Role
from webhooks.models import WebhookEndpoint


@pytest.fixture
def workflow(owner: Api) -> dict[str, Any]:
    return owner.make()


@pytest.fixture
def trigger(owner: Api, workflow: dict[str, Any]) -> dict[str, Any]:
    body = {"workflow_id": workflow["id"], "kind": "webhook", "config": {"scheme": "github"}, "name": "Orders"}
    return owner.post("/triggers", body).json()


def test_a_late_change_of_a_workflow_is_told_who_changed_what_meanwhile(owner: Api, member, workflow):
    other = member(Role.BUILDER)
    path = f"/workflows/{workflow['id']}"
    changed = {**HELLO, "steps": [{**HELLO["steps"][0], "with": {"set": {"text": "Good day"}}}, HELLO["steps"][1]]}
    other.patch(path, {"definition": changed})
    other.patch(path, {"is_active": False})

    late = owner.patch(path, {"name": "Mine"}, if_match=workflow["etag"])

    said = late.json()
    assert (late.status_code, said["code"]) == (412, "version_mismatch")
    assert (said["your_version"], said["current_version"]) == ("1.0.0", "1.0.1")
    assert said["current_etag"] == late.headers["ETag"] == owner.get(path).json()["etag"]
    assert [(one["by"].partition(" (")[2], one["summary"], one["changes"]) for one in said["changes"]] == [
        (f"{other.user.email})", "Changed the switch of workflow 'Hello'.", {"is_active": [True, False]}),
        (f"{other.user.email})", "Changed definition of workflow 'Hello'.", {"version": ["1.0.0", "1.0.1"]}),
    ]
    assert said["difference"]["steps"]["changed"] == [
        {
            "id": "greeting",
            "pointer": "/definition/steps/0",
            "changes": [
                {
                    "pointer": "/definition/steps/0/with/set/text",
                    "before": "Hello {{ inputs.name }}",
                    "after": "Good day",
                }
            ],
        }
    ]


def test_a_tag_that_was_never_ours_is_late_too(owner: Api, workflow):
    late = owner.put(f"/workflows/{workflow['id']}", {"name": "Mine", "definition": HELLO}, if_match='"x"')

    assert (late.status_code, late.json()["changes"], late.json()["difference"]) == (412, [], None)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_late_change_of_a_trigger_is_refused(owner: Api, trigger, method: str):
    path = f"/triggers/{trigger['id']}"
    tag = owner.get(path).headers["ETag"]
    owner.patch(path, {"name": "Theirs"})

    late = owner.send(
        method, path, None if method == "DELETE" else {"config": {"scheme": "github"}, "name": "Mine"}, if_match=tag
    )

    said = late.json()
    assert (late.status_code, said["current_version"]) == (412, late.headers["ETag"].strip('"'))
    assert said["your_version"] == tag.strip('"').partition(".")[0] != said["current_version"]
    assert said["changes"][0]["changes"] == {"name": ["Orders", "Theirs"]}
    assert owner.get(path).json()["name"] == "Theirs"


def test_the_present_tag_of_a_trigger_is_accepted_until_it_changes(owner: Api, trigger):
    path = f"/triggers/{trigger['id']}"
    first = owner.patch(path, {"name": "a"}, if_match=owner.get(path).headers["ETag"])
    second = owner.patch(path, {"name": "b"}, if_match=first.headers["ETag"])
    late = owner.patch(path, {"name": "c"}, if_match=first.headers["ETag"])

    assert [answer.status_code for answer in (first, second, late)] == [200, 200, 412]


def test_a_late_rotation_is_refused(owner: Api, trigger):
    path = f"/webhooks/{WebhookEndpoint.objects.get().id}"
    tag = owner.get(path).headers["ETag"]

    first = owner.post(f"{path}/rotate", {}, if_match=tag)
    late = owner.post(f"{path}/rotate", {}, if_match=tag)

    assert (first.status_code, late.status_code) == (200, 412)
    assert late.json()["changes"][0]["action"] == "webhook.rotate"


def demanding(owner: Api) -> None:
    owner.workspace.requires_if_match = True
    owner.workspace.save()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/workflows/{workflow}"),
        ("PATCH", "/workflows/{workflow}"),
        ("DELETE", "/workflows/{workflow}"),
        ("POST", "/workflows/{workflow}/versions/1.0.0/restore"),
        ("PUT", "/triggers/{trigger}"),
        ("PATCH", "/triggers/{trigger}"),
        ("DELETE", "/triggers/{trigger}"),
        ("POST", "/webhooks/{webhook}/rotate"),
    ],
)
def test_a_workspace_may_want_to_know_what_every_change_is_meant_for(owner: Api, workflow, trigger, method, path):
    demanding(owner)
    endpoint = WebhookEndpoint.objects.get()
    address = path.format(workflow=workflow["id"], trigger=trigger["id"], webhook=endpoint.id)
    body = {"name": "New", "definition": HELLO} if "workflows" in path else {"config": {"scheme": "github"}}
    sent = body if method in ("PUT", "PATCH") else None

    blind = owner.send(method, address, sent)
    aware = owner.send(method, address, sent, if_match="*")

    assert (blind.status_code, blind.json()["code"]) == (428, "precondition_required")
    assert blind.headers["ETag"]
    assert aware.status_code in (200, 204)


def test_other_workspaces_and_new_things_need_no_tag(owner: Api, stranger: Api):
    demanding(owner)
    theirs = stranger.make()

    assert stranger.patch(f"/workflows/{theirs['id']}", {"name": "New"}).status_code == 200
    assert owner.post("/workflows", {"name": "New", "definition": HELLO}).status_code == 201


@pytest.mark.parametrize(
    "path",
    ["/me", "/workflows/{workflow}", "/workflows/{workflow}/versions/1.0.0", "/triggers/{trigger}", "/runs/{run}"],
)
def test_what_a_reader_has_is_not_sent_again(owner: Api, workflow, trigger, path):
    run = owner.post(f"/workflows/{workflow['id']}/execute").json()["id"]
    owner.post(f"/runs/{run}/cancel")  # one under way changes with every look: how long it takes is a part of it
    address = path.format(workflow=workflow["id"], trigger=trigger["id"], run=run)
    tag = owner.get(address).headers["ETag"]

    again = owner.send("GET", address, if_none_match=f'"other", W/{tag}')
    other = owner.send("GET", address, if_none_match='"other"')

    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    assert (other.status_code, other.headers["ETag"]) == (200, tag)


def test_a_changed_workflow_is_sent_again(owner: Api, workflow):
    path = f"/workflows/{workflow['id']}"
    owner.patch(path, {"is_active": False})

    assert owner.send("GET", path, if_none_match=workflow["etag"]).json()["is_active"] is False


def test_a_sample_sent_twice_starts_one_run(owner: Api, trigger):
    path = f"/webhooks/{WebhookEndpoint.objects.get().id}/test"
    first = owner.post(path, {"event": "push"}, idempotency_key="k1")
    again = owner.post(path, {"event": "push"}, idempotency_key="k1")
    other = owner.post(path, {"event": "ping"}, idempotency_key="k1")

    assert (again.json(), again.headers["Brainops-Duplicate"]) == (first.json(), "true")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")


def test_a_key_of_one_caller_answers_no_other(owner: Api, member, stranger: Api):
    body = {"name": "Same", "definition": HELLO}
    people = [owner, member(Role.OWNER), stranger]

    answers = [person.post("/workflows", body, idempotency_key="k1") for person in people]

    assert [answer.status_code for answer in answers] == [201, 201, 201]
    assert len({answer.json()["id"] for answer in answers}) == 3
