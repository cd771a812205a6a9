"""/variables: what all workflows of a workspace read."""

from __future__ import annotations

from typing import Any

import pytest

from automation.models import Variable
from automation.tests.api.conftest import Api
from brainops.accounts.models import Role
from brainops.audit.models import AuditEntry

pytestmark = pytest.mark.django_db

READS: dict[str, Any] = {
    "schema": 1,
    "steps": [{"id": "a", "uses": "transform", "with": {"set": {"x": "{{ vars.base_url }}"}}}],
}


def test_a_variable_is_made_read_changed_and_deleted(owner):
    made = owner.post("/variables", {"name": "base_url", "value": "https://a.example", "description": "The shop"})
    replaced = owner.put("/variables/base_url", {"value": {"deep": [1]}})
    changed = owner.patch("/variables/base_url", {"description": "Of the shop"})

    read = owner.get("/variables/base_url")
    body = read.json()
    assert (made.status_code, replaced.status_code, changed.status_code, read["ETag"]) == (201, 200, 200, '"3"')
    assert body == {
        "name": "base_url",
        "value": {"deep": [1]},
        "description": "Of the shop",
        "revision": 3,
        "updated_by": owner.user.email,
        "created_at": body["created_at"],
        "updated_at": body["updated_at"],
        "used_by": [],
    }
    assert owner.delete("/variables/base_url").status_code == 204
    assert owner.get("/variables/base_url").status_code == 404


def test_putting_a_new_name_makes_it_and_putting_the_same_changes_nothing(owner):
    answers = [owner.put("/variables/n", {"value": 1}) for _ in range(2)]

    assert [(one.status_code, one.json()["revision"]) for one in answers] == [(201, 1), (200, 1)]
    assert AuditEntry.objects.filter(target_kind="variable").count() == 1


@pytest.mark.parametrize(("old", "new"), [(1, True), (0, 0.0), ([1], [True])])
def test_values_that_only_python_takes_for_equal_are_changes(owner, old, new):
    owner.put("/variables/n", {"value": old})

    assert owner.put("/variables/n", {"value": new}).json()["revision"] == 2


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"name": "a-b", "value": 1}, "invalid_value", "/name"),
        ({"name": "7up", "value": 1}, "invalid_value", "/name"),
        ({"name": "é", "value": 1}, "invalid_value", "/name"),
        ({"name": "a"}, "required", ""),
        ({"name": "a", "value": "x" * 40_000}, "value_too_large", "/value"),
        ({"name": "a", "value": 1, "kind": 2}, "unknown_field", "/kind"),
    ],
)
def test_what_is_no_variable_is_refused_by_name(owner, body, code, pointer):
    answer = owner.post("/variables", body)

    assert answer.status_code == 400
    assert [(one["code"], one["pointer"]) for one in answer.json()["problems"]] == [(code, pointer)]


@pytest.mark.parametrize("name", ["a-b", "7up", "%F0%9F%92%A5", "a.b"])
def test_an_impossible_name_in_the_address_is_refused(owner, name):
    assert owner.put(f"/variables/{name}", {"value": 1}).json()["code"] == "invalid_input"


def test_a_name_is_taken_once_in_a_workspace(owner, stranger):
    owner.post("/variables", {"name": "n", "value": 1})

    again, elsewhere = (
        owner.post("/variables", {"name": "n", "value": 2}),
        stranger.post("/variables", {"name": "n", "value": 2}),
    )

    assert (again.status_code, again.json()["code"], elsewhere.status_code) == (409, "name_taken", 201)


@pytest.mark.parametrize(("tag", "status"), [('"1"', 200), ('"2"', 412), ("*", 200)])
def test_a_change_honours_if_match(owner, tag, status):
    owner.put("/variables/n", {"value": 1})

    assert owner.put("/variables/n", {"value": 2}, if_match=tag).status_code == status


def test_a_variable_in_use_is_deleted_only_by_force(owner):
    owner.put("/variables/base_url", {"value": "x"})
    used = owner.make(name="Shop", definition=READS)
    owner.make(name="Other")

    refused, forced = owner.delete("/variables/base_url"), owner.delete("/variables/base_url?force=true")

    assert (refused.status_code, refused.json()["code"]) == (409, "in_use")
    assert refused.json()["used_by"] == [{"id": used["id"], "name": "Shop"}]
    assert forced.status_code == 204


def test_a_workflow_that_reads_an_unknown_variable_is_refused_with_what_was_meant(owner):
    owner.put("/variables/baseurl", {"value": "x"})

    answer = owner.post("/workflows", {"name": "Shop", "definition": READS})

    assert answer.json()["problems"] == [
        {
            "code": "unknown_variable",
            "message": '"vars.base_url": this workspace has no variable \'base_url\'. Did you mean "baseurl"?',
            "pointer": "/definition/steps/0/with/set/x",
        }
    ]
    assert owner.post("/workflows/validate", {"definition": READS}).json()["problems"] == answer.json()["problems"]


def test_a_workflow_may_read_an_unknown_variable_where_something_stands_in_for_it(owner):
    steps = [{"id": "a", "uses": "transform", "with": {"set": {"x": "{{ vars.base_url|default('none') }}"}}}]

    assert owner.make(definition={"schema": 1, "steps": steps})["version"] == "1.0.0"


def test_a_dry_run_reads_the_variables_as_they_are(owner):
    owner.put("/variables/base_url", {"value": "https://now.example"})
    made = owner.make(definition={**READS, "output": "{{ steps.a.output.x }}"})

    assert owner.post(f"/workflows/{made['id']}/dry-run", {}).json()["output"] == "https://now.example"


def test_viewers_read_builders_write_and_strangers_see_nothing(owner, stranger, member):
    owner.put("/variables/n", {"value": 1})
    viewer, builder = member(Role.VIEWER), member(Role.BUILDER)

    assert viewer.get("/variables/n").json()["value"] == 1
    assert [viewer.put("/variables/n", {"value": 2}).status_code, viewer.delete("/variables/n").status_code] == [
        403,
        403,
    ]
    assert builder.put("/variables/n", {"value": 2}).status_code == 200
    assert stranger.get("/variables").json()["results"] == []
    assert [stranger.get("/variables/n").status_code, stranger.delete("/variables/n").status_code] == [404, 404]


def test_every_change_is_in_the_audit_log_and_names_that_sound_secret_are_masked(owner: Api):
    owner.put("/variables/limit", {"value": 1})
    owner.put("/variables/limit", {"value": 2})
    owner.put("/variables/api_key", {"value": "plain-but-telling"})
    owner.delete("/variables/limit")

    said = (
        AuditEntry.objects.filter(target_kind="variable").order_by("id").values_list("action", "target_id", "changes")
    )
    assert list(said) == [
        ("variable.create", "limit", {"value": [None, 1]}),
        ("variable.update", "limit", {"value": [1, 2]}),
        ("variable.create", "api_key", {"value": [None, "•••"]}),
        ("variable.delete", "limit", {"value": [2, None]}),
    ]


def test_the_list_is_in_the_order_of_names(owner):
    for name in ("b", "a", "c"):
        owner.put(f"/variables/{name}", {"value": name})

    first = owner.get("/variables", limit=2).json()

    assert [row["name"] for row in first["results"]] == ["a", "b"]
    assert [row["name"] for row in owner.get(first["next"].partition("/automation")[2]).json()["results"]] == ["c"]
    assert Variable.objects.count() == 3
