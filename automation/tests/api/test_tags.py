"""The tags of a workspace."""

from __future__ import annotations

from typing import Any

import pytest

from automation.tests.api.conftest import Api
from brainops.accounts.models import Role
from brainops.audit.models import AuditEntry


@pytest.fixture
def workflows(owner: Api) -> list[dict[str, Any]]:
    found = [owner.make(name="a", tags=["x", "biling", "y"]), owner.make(name="b", tags=["biling", "billing"])]
    return [*found, owner.make(name="c", tags=["Zebra/1"]), owner.make(name="d")]


def tags(owner: Api, **query: Any) -> list[tuple[str, int]]:
    return [(row["tag"], row["workflows"]) for row in owner.get("/tags", **query).json()["results"]]


@pytest.mark.usefixtures("workflows")
def test_tags_are_counted_in_pages(owner: Api, stranger: Api):
    every = [("Zebra/1", 1), ("biling", 2), ("billing", 1), ("x", 1), ("y", 1)]
    first = owner.get("/tags", limit=2).json()
    second = owner.send("GET", first["next"].partition("/api/v1/automation")[2]).json()

    assert tags(owner) == every
    assert [row["tag"] for row in first["results"] + second["results"]] == ["Zebra/1", "biling", "billing", "x"]
    assert tags(owner, prefix="BIL") == [("biling", 2), ("billing", 1)]
    assert tags(stranger) == []


def test_a_renamed_tag_keeps_its_place_and_makes_versions(owner: Api, workflows):
    report = owner.post("/tags/rename", {"from": "biling", "to": "billing"}).json()

    first, second = (owner.get(f"/workflows/{row['id']}").json() for row in workflows[:2])
    assert report["counts"] == {"done": 2, "unchanged": 0, "not_found": 0, "refused": 0, "withheld": 0}
    assert (first["tags"], first["version"]) == (["x", "billing", "y"], "1.0.1")
    assert (second["tags"], second["version"]) == (["billing"], "1.0.1")
    assert owner.get(f"/workflows/{first['id']}/versions/1.0.1").json()["note"] == (
        "Renamed tag 'biling' to 'billing' of all workflows."
    )
    assert AuditEntry.objects.get(target_id=first["id"], action="workflow.update").changes == {
        "tags": [["x", "biling", "y"], ["x", "billing", "y"]],
        "version": ["1.0.0", "1.0.1"],
    }


def test_a_tag_is_taken_off_everywhere_even_with_a_slash_in_it(owner: Api, workflows):
    tried = owner.send("DELETE", "/tags/Zebra/1?dry_run=true").json()
    done = owner.delete("/tags/Zebra/1").json()

    assert (tried["applied"], done["applied"], done["counts"]["done"]) == (False, True, 1)
    assert owner.get(f"/workflows/{workflows[2]['id']}").json()["tags"] == []
    assert owner.delete("/tags/Zebra/1").status_code == 404


def test_a_renaming_sent_twice_is_done_once(owner: Api, workflows):
    body = {"from": "x", "to": "z"}
    first = owner.post("/tags/rename", body, idempotency_key="k1")
    second = owner.post("/tags/rename", body, idempotency_key="k1")

    assert (first.json(), second.headers["Brainops-Duplicate"]) == (second.json(), "true")


@pytest.mark.usefixtures("workflows")
def test_only_builders_rename_and_strangers_find_no_tag(member, stranger: Api):
    body = {"from": "x", "to": "z"}

    assert member(Role.OPERATOR).post("/tags/rename", body).status_code == 403
    assert member(Role.BUILDER).post("/tags/rename", body).status_code == 200
    assert stranger.post("/tags/rename", body).status_code == 404
    assert stranger.delete("/tags/y").status_code == 404


@pytest.mark.parametrize("body", [{"from": "x"}, {"from": "x", "to": ""}, {"from": "x", "to": "a\nb"}, {"a": 1}])
def test_a_name_that_no_tag_can_have_is_refused(owner: Api, body: dict[str, Any]):
    assert owner.post("/tags/rename", body).status_code == 400
