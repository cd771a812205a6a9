"""Versions: listed, read, restored; never altered."""

from __future__ import annotations

from automation.models import WorkflowVersion
from automation.tests.api.conftest import HELLO, Api


def three_versions(owner: Api) -> str:
    id_ = owner.make(name="One", note="first")["id"]
    owner.put(f"/workflows/{id_}", {"name": "Two", "definition": HELLO})
    owner.put(f"/workflows/{id_}", {"name": "Three", "definition": HELLO, "bump": "major", "note": "third"})
    return id_


def test_versions_are_listed_newest_first_without_their_documents(owner: Api):
    id_ = three_versions(owner)

    rows = owner.get(f"/workflows/{id_}/versions").json()["results"]

    assert [(row["number"], row["ordinal"], row["name"], row["note"]) for row in rows] == [
        ("2.0.0", 3, "Three", "third"),
        ("1.0.1", 2, "Two", ""),
        ("1.0.0", 1, "One", "first"),
    ]
    assert [row for row in rows if "definition" in row] == []
    assert {row["author"] for row in rows} == {str(owner.user.id)}


def test_a_version_is_read_whole_by_its_number(owner: Api):
    id_ = three_versions(owner)

    body = owner.get(f"/workflows/{id_}/versions/1.0.0").json()

    assert (body["number"], body["name"], body["definition"], len(body["checksum"])) == ("1.0.0", "One", HELLO, 64)


def test_restoring_makes_a_new_version(owner: Api):
    id_ = three_versions(owner)

    body = owner.post(f"/workflows/{id_}/versions/1.0.0/restore").json()

    assert (body["name"], body["version"]) == ("One", "2.0.1")
    newest = WorkflowVersion.objects.get(workflow_id=id_, ordinal=4)
    assert newest.note == "Restored from 1.0.0."


def test_restoring_what_is_current_makes_no_version(owner: Api):
    id_ = three_versions(owner)

    assert owner.post(f"/workflows/{id_}/versions/2.0.0/restore").json()["version"] == "2.0.0"


def test_a_stale_if_match_restores_nothing(owner: Api):
    id_ = three_versions(owner)

    response = owner.post(f"/workflows/{id_}/versions/1.0.0/restore", if_match='"1.0.0-r1"')

    assert (response.status_code, response.json()["current_version"]) == (412, "2.0.0")


def test_a_version_that_never_was_is_not_found(owner: Api):
    id_ = three_versions(owner)

    assert owner.get(f"/workflows/{id_}/versions/7.7.7").status_code == 404
    assert owner.post(f"/workflows/{id_}/versions/7.7.7/restore").status_code == 404


def test_layout_and_key_order_do_not_change_the_checksum(owner: Api):
    turned = dict(reversed(HELLO.items()))
    ids = [owner.make(definition=HELLO)["id"], owner.make(definition={**turned, "ui": {"zoom": 2}})["id"]]

    sums = {owner.get(f"/workflows/{id_}/versions/1.0.0").json()["checksum"] for id_ in ids}

    assert len(sums) == 1
