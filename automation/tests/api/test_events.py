"""/events: CloudEvents in all three modes, each taken once, looked up by those who may."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest
from django.http import HttpResponse

from automation.models import Event
from automation.tests.api.conftest import PREFIX, Api, make_person
from automation.tests.events.rows import items_of, listen, settle
from automation.tests.triggers.rows import make_workflow
from brainops.accounts.models import Role

pytestmark = pytest.mark.django_db

STRUCTURED, BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"
LEAST = {"specversion": "1.0", "id": "1", "source": "/shop", "type": "order.paid"}
NAMED = {f"ce-{name}": value for name, value in LEAST.items()}


def send(who: Api, body: Any, kind: str = STRUCTURED, **headers: str) -> HttpResponse:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return who._client.generic("POST", f"{PREFIX}/events", raw, content_type=kind, headers=headers)


def codes_of(response: HttpResponse) -> list[tuple[str, str]]:
    assert response.status_code == 400, response.content
    return [(one.get("pointer") or one.get("parameter") or "", one["code"]) for one in response.json()["problems"]]


def test_an_event_is_taken_in_and_looked_up(owner):
    answer = send(owner, {**LEAST, "data": {"total": 7}, "tier": "gold"})

    body = answer.json()
    assert (answer.status_code, answer.headers["Location"]) == (201, f"{PREFIX}/events/{body['id']}")
    assert (body["name"], body["payload"], body["hops"]) == ("order.paid", {"total": 7}, 0)
    assert body["sent_by"] == f"key:{owner.key.row.id}"
    assert body["event"] == {**LEAST, "tier": "gold", "data": {"total": 7}, "time": body["event"]["time"]}
    assert owner.get(f"/events/{body['id']}").json() == {**body, "chain": [], "deliveries": []}
    assert [row["id"] for row in owner.get("/events").json()["results"]] == [body["id"]]


def test_an_event_that_is_sent_again_is_the_first_one(owner):
    first = send(owner, {**LEAST, "data": 1})
    again = send(owner, {**LEAST, "data": 2})

    assert (again.status_code, again.headers["Brainops-Duplicate"]) == (200, "true")
    assert again.json() == first.json()
    assert Event.objects.count() == 1


def test_the_same_id_of_another_source_is_another_event(owner):
    assert [send(owner, {**LEAST, "source": source}).status_code for source in ("/a", "/b")] == [201, 201]


def test_a_batch_is_taken_as_a_whole(owner):
    answer = send(owner, [{**LEAST, "id": "1"}, {**LEAST, "id": "2"}, {**LEAST, "id": "1"}], BATCH)

    assert answer.status_code == 201
    assert [one["event"]["id"] for one in answer.json()] == ["1", "2", "1"]
    assert Event.objects.count() == 2


def test_a_batch_with_one_wrong_event_is_refused_with_every_problem(owner):
    answer = send(owner, [LEAST, {**LEAST, "id": ""}, {**LEAST, "time": "now"}], BATCH)

    assert codes_of(answer) == [("/1/id", "wrong_type"), ("/2/time", "wrong_format")]
    assert Event.objects.count() == 0


def test_an_empty_batch_holds_nothing(owner):
    answer = send(owner, [], BATCH)

    assert (answer.status_code, answer.json()) == (200, [])


def test_in_binary_mode_the_body_is_the_data(owner):
    headers = {**NAMED, "ce-subject": "Euro%20%E2%82%AC", "ce-tier": "gold"}

    body = send(owner, {"total": 7}, "application/json; charset=utf-8", **headers).json()

    assert body["event"] == {
        **LEAST,
        "subject": "Euro €",
        "time": body["event"]["time"],
        "datacontenttype": "application/json; charset=utf-8",
        "tier": "gold",
        "data": {"total": 7},
    }


@pytest.mark.parametrize(
    ("raw", "kind", "data"),
    [
        (b"hello", "text/plain", {"data": "hello"}),
        ("grüß".encode("latin-1"), "text/plain; charset=iso-8859-1", {"data": "grüß"}),
        (b"\xff\xfe", "text/plain", {"data_base64": base64.b64encode(b"\xff\xfe").decode()}),
        (b"<a/>", "application/xml", {"data_base64": base64.b64encode(b"<a/>").decode()}),
        (b'{"a":1}', "application/vnd.shop+json", {"data": {"a": 1}}),
        (b"", "application/json", {}),
    ],
    ids=["text", "latin", "bytes", "xml", "json", "nothing"],
)
def test_in_binary_mode_any_body_is_data(owner, raw, kind, data):
    event = send(owner, raw, kind, **NAMED).json()["event"]

    assert {
        name: value for name, value in event.items() if name.startswith("data") and name != "datacontenttype"
    } == data
    assert event.get("datacontenttype", kind) == kind  # the client says no type of nothing


def test_in_binary_mode_problems_name_headers(owner):
    answer = send(owner, {}, "application/json", **{"ce-specversion": "1.0", "ce-id": "1", "ce-time": "now"})

    assert codes_of(answer) == [("ce-source", "required"), ("ce-type", "required"), ("ce-time", "wrong_format")]


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("application/json", 400, "no_event"),
        ("application/cloudevents+xml", 415, "unsupported_media_type"),
        ("application/cloudevents+json; charset=utf-16", 415, "unsupported_media_type"),
    ],
)
def test_what_is_no_event_is_refused(owner, kind, status, code):
    answer = send(owner, LEAST, kind)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_types_of_the_installation_are_reserved(owner):
    assert codes_of(send(owner, {**LEAST, "type": "brainops.run.failed"})) == [("/type", "reserved_type")]
    assert codes_of(send(owner, [LEAST, {**LEAST, "type": "brainops.x"}], BATCH)) == [("/1/type", "reserved_type")]


def test_data_beyond_the_limit_is_refused(owner, settings):
    settings.BRAINOPS_LIMITS = {**settings.BRAINOPS_LIMITS, "state_bytes": 100}

    answer = send(owner, {**LEAST, "data": "x" * 100})

    assert (answer.status_code, answer.json()["limit_bytes"]) == (413, 100)
    assert Event.objects.count() == 0


def test_a_request_with_an_idempotency_key_is_answered_twice_and_done_once(owner):
    headers = {"Idempotency-Key": "a"}
    first, again = (send(owner, LEAST, **headers) for _ in range(2))
    other = send(owner, {**LEAST, "id": "2"}, **headers)

    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    assert other.status_code == 409


def test_events_are_found_by_type_source_subject_and_time(owner):
    for number, (type_, source) in enumerate([("order.paid", "/a"), ("order.sent", "/a"), ("invoice.paid", "/b/c")]):
        send(owner, {**LEAST, "id": str(number), "type": type_, "source": source, "subject": f"s{number}"})

    def found(**query: str) -> list[str]:
        return [row["name"] for row in owner.get("/events", **query).json()["results"]]

    assert found() == ["invoice.paid", "order.sent", "order.paid"]
    assert found(type="order.*") == ["order.sent", "order.paid"]
    assert found(name="order.paid") == ["order.paid"]
    assert found(source="/b*") == ["invoice.paid"]
    assert found(subject="s1") == ["order.sent"]
    assert found(until="2020-01-01T00:00:00Z") == []


def test_viewers_read_operators_send_and_strangers_see_nothing(owner, member, stranger):
    viewer, operator = member(Role.VIEWER), member(Role.OPERATOR)
    sent = send(owner, LEAST).json()["id"]

    assert [who.get(f"/events/{sent}").status_code for who in (owner, viewer, stranger)] == [200, 200, 404]
    assert [send(who, {**LEAST, "id": "2"}).status_code for who in (viewer, operator)] == [403, 201]
    assert stranger.get("/events").json()["results"] == []


def test_a_key_needs_the_scope(home):
    reader = make_person(home, scopes=("events:read",))
    sender = make_person(home, scopes=("events:write",))

    assert [send(who, LEAST).status_code for who in (reader, sender)] == [403, 201]
    assert [who.get("/events").status_code for who in (reader, sender)] == [200, 403]


def test_a_key_that_may_only_send_is_not_told_what_others_said(owner, home):
    send(owner, {**LEAST, "data": "hush"})
    sender = make_person(home, scopes=("events:write",))

    answer = send(sender, {**LEAST, "data": "guess"})

    assert (answer.status_code, answer.headers["Brainops-Duplicate"]) == (200, "true")
    assert (answer.json()["payload"], answer.json()["sent_by"]) == ("guess", "")
    assert b"hush" not in answer.content


def test_the_same_event_may_be_sent_to_two_workspaces(owner, stranger):
    ours, theirs = send(owner, LEAST), send(stranger, LEAST)

    assert (ours.status_code, theirs.status_code) == (201, 201)
    assert ours.json()["id"] != theirs.json()["id"]


def test_a_sent_event_starts_a_run_and_says_so(owner):
    trigger = listen("order.*", workflow=make_workflow(workspace=owner.workspace))
    sent = send(owner, {**LEAST, "data": {"id": 7}}).json()["id"]
    settle()

    (delivery,) = owner.get(f"/events/{sent}").json()["deliveries"]
    assert items_of(trigger) == [{"id": 7}]
    assert (delivery["listener"], delivery["state"], delivery["trigger_id"]) == ("trigger", "ran", str(trigger.id))
    assert owner.get(f"/runs/{delivery['run_id']}").status_code == 200


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b'{"specversion":"1.0","id":"1","source":"/s","type":"t","data":"a\\u0000b"}', 400),
        (b'{"specversion":"1.0","id":"1","source":"/s","type":"t","data":"\\ud800"}', 400),
        (b'{"specversion":"1.0","id":"1","id":"2","source":"/s","type":"t"}', 400),
        (b'{"specversion":"1.0","id":"1","source":"/s","type":"t","data":' + b"[" * 200 + b"]" * 200 + b"}", 400),
        (b"[]", 400),
        (b"null", 400),
        (b"", 400),
        (b"\xff", 400),
    ],
    ids=range(8),
)
def test_hostile_bodies_are_refused(owner, raw, status):
    answer = send(owner, raw)

    assert (answer.status_code, Event.objects.count()) == (status, 0)


@pytest.mark.parametrize("value", ["a%00b", "a%0d%0ab", "%ed%a0%80", "gr\u00fc\u00df"], ids=range(4))
def test_hostile_headers_are_refused(owner, value):
    answer = send(owner, b"x", "text/plain", **{**NAMED, "ce-subject": value})

    assert [place for place, _ in codes_of(answer)] == ["ce-subject"]


def test_text_with_a_nul_is_kept_as_bytes(owner):
    event = send(owner, b"a\x00b", "text/plain", **NAMED).json()["event"]

    assert event["data_base64"] == base64.b64encode(b"a\x00b").decode()
