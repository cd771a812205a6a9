"""The list of workflows: pages, filters, order, members, and a number of queries that does not grow."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from automation.tests.api.conftest import Api


def names(owner: Api, **query: Any) -> list[str]:
    return [row["name"] for row in owner.get("/workflows", **query).json()["results"]]


def test_the_newest_workflow_comes_first(owner: Api):
    for name in ("a", "b", "c"):
        owner.make(name=name)

    assert names(owner) == ["c", "b", "a"]


def test_pages_follow_each_other_without_gap_or_repeat(owner: Api):
    for name in "abcde":
        owner.make(name=name)

    first = owner.get("/workflows", limit=2, ordering="name").json()
    cursor = first["next"].partition("cursor=")[2].partition("&")[0]
    second = owner.get("/workflows", limit=2, ordering="name", cursor=cursor.replace("%3D", "=")).json()

    assert [row["name"] for row in first["results"] + second["results"]] == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"search": "ORDER"}, ["Order to Slack"]),
        ({"search": "nightly"}, ["Report"]),  # in the description
        ({"tag": "sales"}, ["Report", "Order to Slack"]),
        ({"tag": ["sales", "slack"]}, ["Order to Slack"]),
        ({"is_active": "false"}, ["Report"]),
        ({"is_archived": "true"}, []),
        ({"ordering": "name"}, ["Order to Slack", "Report"]),
        ({"created_since": "2100-01-01T00:00:00Z"}, []),
    ],
)
def test_filters_say_what_is_listed(owner: Api, query: dict, found: list[str]):
    owner.make(name="Order to Slack", tags=["sales", "slack"])
    owner.make(name="Report", description="Nightly figures", tags=["sales"], is_active=False)

    assert names(owner, **query) == found


def test_fields_choose_the_members(owner: Api):
    id_ = owner.make(name="a")["id"]

    assert owner.get("/workflows", fields="name,id").json()["results"] == [{"id": id_, "name": "a"}]
    assert owner.get(f"/workflows/{id_}", fields="version").json() == {"version": "1.0.0"}


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({"is_active": "maybe"}, "is_active"),
        ({"owner": "me"}, "owner"),
        ({"ordering": "password"}, "ordering"),
        ({"fields": "name,secret"}, "fields"),
        ({"workspace_id": "x"}, "workspace_id"),
        ({"limit": "0"}, "limit"),
        ({"cursor": "junk"}, "cursor"),
        ({"created_since": "yesterday"}, "created_since"),
    ],
)
def test_a_parameter_that_means_nothing_is_refused_by_name(owner: Api, query: dict, parameter: str):
    response = owner.get("/workflows", **query)

    assert response.status_code == 400
    assert [problem["parameter"] for problem in response.json()["problems"]] == [parameter]


def test_the_number_of_queries_does_not_grow_with_the_list(owner: Api):
    owner.make()
    owner.get("/workflows")
    with CaptureQueriesContext(connection) as one:
        owner.get("/workflows")
    for _ in range(5):
        owner.make()
    with CaptureQueriesContext(connection) as six:
        owner.get("/workflows")

    assert (len(one), len(six)) == (2, 2)  # the key, the page
