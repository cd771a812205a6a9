"""What must never be a 500 and never be stored: broken, hostile and oversized bodies."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from django.test import Client

from automation.models import Run, Workflow
from automation.tests.api.conftest import HELLO, PREFIX, Api

GOOD = orjson.dumps({"name": "Hello", "definition": HELLO}).decode()


def deep(levels: int) -> str:
    return GOOD[:-1] + ',"meta_data":' + '{"a":' * levels + "1" + "}" * levels + "}"


BODIES = [
    ("no JSON", "{", 400),
    ("nothing", "", 400),
    ("a text", '"x"', 400),
    ("trailing text", GOOD + "x", 400),
    ("a duplicate key", '{"name": "a", "name": "b"}', 400),
    ("not a number", GOOD[:-1] + ',"meta_data":{"a":NaN}}', 400),
    ("infinity", GOOD[:-1] + ',"meta_data":{"a":1e999}}', 400),
    ("a NUL in a value", GOOD[:-1] + ',"meta_data":{"a":"\\u0000"}}', 400),
    ("a NUL in a key", GOOD[:-1] + ',"meta_data":{"\\u0000":1}}', 400),
    ("a lone surrogate", GOOD[:-1] + ',"meta_data":{"a":"\\ud800"}}', 400),
    ("a NUL in a name", GOOD.replace("Hello", "\\u0000", 1), 400),
    ("deep nesting", deep(70), 400),
    ("very deep nesting", deep(100_000), 400),
    ("many keys", GOOD[:-1] + ',"meta_data":{' + ",".join(f'"k{n}":1' for n in range(60_000)) + "}}", 400),
    ("a huge body", GOOD[:-1] + ',"description":"' + "x" * 1_100_000 + '"}', 413),
]


@pytest.mark.parametrize("path", ["/workflows", "/workflows/{id}/execute", "/workflows/validate"])
@pytest.mark.parametrize(("what", "body", "status"), BODIES, ids=[what for what, _, _ in BODIES])
def test_a_broken_body_is_refused_with_the_place(owner: Api, path: str, what: str, body: str, status: int):
    id_ = owner.make()["id"] if "{id}" in path else ""
    before = Workflow.objects.count()

    response = send(owner, path.format(id=id_), body.encode("utf-8", "surrogatepass"))

    if what == "nothing" and "execute" in path:
        assert response.status_code == 202  # nothing to say is a way to start a run
        return
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == "application/problem+json"
    assert (Workflow.objects.count(), Run.objects.count()) == (before, 0)


@pytest.mark.parametrize("path", ["/workflows/{workflow}/versions/1.0.0/restore", "/runs/{run}/cancel"])
@pytest.mark.parametrize(
    ("what", "body", "status"),
    [*((what, body, status) for what, body, status in BODIES if body), ("an unknown member", '{"to": "x"}', 400)],
)
def test_where_nothing_is_to_be_said_a_body_is_refused_and_not_dropped(
    owner: Api, path: str, what: str, body: str, status: int
):
    id_ = owner.make()["id"]
    run = owner.post(f"/workflows/{id_}/execute").json()["id"]
    owner.put(f"/workflows/{id_}", {"name": "Second", "definition": HELLO})

    response = send(owner, path.format(workflow=id_, run=run), body.encode())

    assert response.status_code == status, response.content
    assert owner.get(f"/workflows/{id_}").json()["name"] == "Second"
    assert owner.get(f"/runs/{run}").json()["status"] == "queued"


def send(owner: Api, path: str, body: bytes, content_type: str = "application/json") -> Any:
    client = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {owner.key.text}"})
    return client.generic("POST", PREFIX + path, body, content_type=content_type)


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_body_of_another_type_is_refused(owner: Api, content_type: str):
    assert send(owner, "/workflows", GOOD.encode(), content_type).status_code == 415


def test_utf_16_is_refused(owner: Api):
    assert send(owner, "/workflows", GOOD.encode("utf-16"), "application/json; charset=utf-16").status_code == 415


def test_a_cycle_is_named_step_by_step(owner: Api):
    steps = [
        {"id": name, "uses": "log", "needs": [need], "with": {"message": "x"}} for name, need in ("ab", "bc", "ca")
    ]

    response = owner.post("/workflows", {"name": "Round", "definition": {"schema": 1, "steps": steps}})

    problem = next(one for one in response.json()["problems"] if one["code"] == "cycle")
    assert response.status_code == 400
    assert all(f" {name} " in f" {problem['message']} ".replace(".", " ") for name in "abc"), problem


def test_too_many_steps_are_refused(owner: Api):
    steps = [{"id": f"s{n}", "uses": "log", "with": {"message": "x"}} for n in range(501)]

    response = owner.post("/workflows", {"name": "Long", "definition": {"schema": 1, "steps": steps}})

    assert response.status_code == 400
    assert "500" in response.json()["detail"]


@pytest.mark.parametrize("id_", ["1", "not-a-uuid", "00000000-0000-0000-0000-00000000000g", "..", "%00"])
def test_an_impossible_id_is_not_found(owner: Api, id_: str):
    for path in (f"/workflows/{id_}", f"/runs/{id_}", f"/workflows/{id_}/runs"):
        assert owner.get(path).status_code == 404


@pytest.mark.parametrize("number", ["latest", "1", "1.0", "%00", "1.0.0%00", "9" * 400])
def test_an_impossible_version_is_not_found(owner: Api, number: str):
    id_ = owner.make()["id"]

    assert owner.get(f"/workflows/{id_}/versions/{number}").status_code == 404


@pytest.mark.parametrize("query", ["search=%00", "tag=%00", "search=%ED%A0%80", "status=%00", "version=%00"])
def test_a_query_that_cannot_be_stored_is_no_error_of_ours(owner: Api, query: str):
    for path in ("/workflows", "/runs"):
        assert owner.send("GET", f"{path}?{query}").status_code in (200, 400)


def test_names_of_all_kinds_are_kept_as_they_are(owner: Api):
    for name in (
        "Ω≈ç√∫",
        "田中さん",
        "👩🏽",
        " padded ",
        "<script>alert(1)</script>",
        "Robert'); DROP TABLE x;--",
        "𝕿𝖍𝖊",
    ):
        assert owner.make(name=name)["name"] == name
