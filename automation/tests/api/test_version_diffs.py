"""Comparing versions over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from automation.tests.api.conftest import Api


def steps(*messages: str) -> dict[str, Any]:
    return {
        "schema": 1,
        "steps": [{"id": f"s{i}", "uses": "log", "with": {"message": text}} for i, text in enumerate(messages)],
    }


@pytest.fixture
def versions(owner: Api) -> str:
    """The path of the versions of a workflow: 1.0.0 says a, 1.0.1 says b, 1.0.2 is called otherwise."""
    id_ = owner.make(name="Hello", definition=steps("a"))["id"]
    owner.patch(f"/workflows/{id_}", {"definition": steps("b")})
    owner.patch(f"/workflows/{id_}", {"name": "Good day"})
    return f"/workflows/{id_}/versions"


NOTHING = {"added": [], "removed": [], "renamed": [], "changed": [], "moved": []}
MESSAGE = "/definition/steps/0/with/message"
A_TO_B = [
    {"id": "s0", "pointer": "/definition/steps/0", "changes": [{"pointer": MESSAGE, "before": "a", "after": "b"}]}
]
NAMED = [{"pointer": "/name", "before": "Hello", "after": "Good day"}]


def test_two_versions_are_compared(owner: Api, versions: str):
    assert owner.get(f"{versions}/1.0.0/diff/1.0.1").json() == {
        "before": "1.0.0",
        "after": "1.0.1",
        "is_same": False,
        "fields": [],
        "steps": {**NOTHING, "changed": A_TO_B},
    }


def test_a_version_is_compared_with_the_newest_or_a_named_one(owner: Api, versions: str):
    newest = owner.get(f"{versions}/1.0.0/diff").json()
    named = owner.get(f"{versions}/1.0.1/diff", against="1.0.1").json()

    assert (newest["after"], newest["fields"], newest["steps"]["changed"]) == ("1.0.2", NAMED, A_TO_B)
    assert named == {"before": "1.0.1", "after": "1.0.1", "is_same": True, "fields": [], "steps": NOTHING}


def test_a_draft_is_compared_and_not_saved(owner: Api, versions: str):
    found = owner.post(f"{versions}/1.0.2/diff", {"definition": steps("b", "c"), "tags": ["new"]}).json()

    assert found["after"] == "draft"
    assert found["fields"] == [{"pointer": "/tags", "before": [], "after": ["new"]}]
    assert found["steps"] == {**NOTHING, "added": [{"id": "s1", "uses": "log", "pointer": "/definition/steps/1"}]}
    assert [row["number"] for row in owner.get(versions).json()["results"]] == ["1.0.2", "1.0.1", "1.0.0"]


def test_a_draft_that_is_no_workflow_is_refused_with_all_its_problems(owner: Api, versions: str):
    refused = owner.post(f"{versions}/1.0.0/diff", {"definition": {"schema": 1, "steps": "x"}, "tags": "y"})

    assert refused.status_code == 400
    assert {one["pointer"] for one in refused.json()["problems"]} == {"/definition/steps", "/tags"}


@pytest.mark.parametrize("path", ["/9.9.9/diff", "/1.0.0/diff/9.9.9", "/x/diff", "/1.0.0/diff/x"])
def test_a_version_that_does_not_exist_is_not_found(owner: Api, versions: str, path: str):
    assert owner.get(versions + path).status_code == 404


def test_a_stranger_compares_nothing(stranger: Api, versions: str):
    answers = [stranger.get(f"{versions}/1.0.0/diff"), stranger.post(f"{versions}/1.0.0/diff", {})]

    assert [answer.status_code for answer in answers] == [404, 404]
