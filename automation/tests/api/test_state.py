"""/state and /events: what people and programs may do with what runs keep."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from automation.models import Event, StateValue
from automation.services import state
from automation.tests.api.conftest import Api
from brainops.accounts.models import Role
from brainops.audit.models import AuditEntry
from brainops.core import clock

pytestmark = pytest.mark.django_db


def kept(owner: Api, key: str, value: Any = 1, **fields: Any) -> StateValue:
    return StateValue.objects.create(workspace=owner.workspace, key=key, value=value, **fields)


def test_a_value_is_kept_read_changed_and_forgotten(owner):
    made = owner.put("/state/orders/last", {"value": {"id": 7}})
    read = owner.get("/state/orders/last")
    changed = owner.put("/state/orders/last", {"value": None})

    body = read.json()
    assert (made.status_code, changed.status_code, read["ETag"]) == (201, 200, '"1"')
    assert made.json() == body
    assert body == {
        "key": "orders/last",
        "value": {"id": 7},
        "version": 1,
        "expires_at": None,
        "created_at": body["created_at"],
        "updated_at": body["updated_at"],
    }
    assert (changed.json()["value"], changed.json()["version"]) == (None, 2)
    assert owner.delete("/state/orders/last").status_code == 204
    assert owner.get("/state/orders/last").status_code == 404
    assert owner.delete("/state/orders/last").status_code == 404


def test_a_value_may_expire(owner):
    answer = owner.put("/state/k", {"value": 1, "expires_seconds": 60})
    assert answer.json()["expires_at"] is not None
    with connection.cursor() as cursor:
        cursor.execute("update automation_statevalue set expires_at = now() - interval '1 minute'")

    assert owner.get("/state/k").status_code == 404
    assert owner.get("/state").json()["results"] == []
    assert state.forget_expired() == 1
    assert not StateValue.objects.exists()


@pytest.mark.parametrize(
    ("if_version", "status"),
    [(0, 409), (1, 200), (2, 409)],
)
def test_a_value_may_be_changed_only_if_it_has_a_version(owner, if_version, status):
    kept(owner, "k")

    assert owner.put("/state/k", {"value": 2, "if_version": if_version}).status_code == status


@pytest.mark.parametrize(("tag", "status"), [('"1"', 200), ('"2"', 412), ("*", 200)])
def test_a_value_honours_if_match(owner, tag, status):
    kept(owner, "k")

    assert owner.put("/state/k", {"value": 2}, if_match=tag).status_code == status


@pytest.mark.parametrize(
    ("key", "body", "code"),
    [
        ("a%20b", {"value": 1}, "invalid_key"),
        ("k" * 201, {"value": 1}, "invalid_key"),
        ("a%00b", {"value": 1}, "invalid_key"),
        ("k", {"value": "x" * 70_000}, "value_too_large"),
        ("k", {}, "required"),
        ("k", {"value": 1, "expires_seconds": 0}, "invalid_value"),
        ("k", {"value": 1, "expires": 5}, "unknown_field"),
    ],
)
def test_what_cannot_be_kept_is_refused(owner, key, body, code):
    answer = owner.put(f"/state/{key}", body)

    assert answer.status_code == 400, answer.content
    assert not StateValue.objects.exists()
    assert [problem["code"] for problem in answer.json()["problems"]] == [code]


@pytest.mark.parametrize("key", ["a%00b", "a%20b", "k" * 300])
def test_a_key_that_cannot_be_is_not_found(owner, key):
    assert owner.get(f"/state/{key}").status_code == 404


def test_values_are_listed_in_the_order_of_their_keys_a_page_at_a_time(owner):
    for key in ("b:2", "a", "b:1", "c"):
        kept(owner, key)

    first = owner.get("/state", prefix="b", limit=1).json()

    assert [row["key"] for row in first["results"]] == ["b:1"]
    assert first["next"] is not None
    assert [row["key"] for row in owner.get("/state").json()["results"]] == ["a", "b:1", "b:2", "c"]


def test_events_are_listed_newest_first_by_name_and_time(owner):
    for name in ("order.paid", "order.sent", "import.done"):
        Event.objects.create(workspace=owner.workspace, name=name, payload={"n": 1}, path="tell")
    Event.objects.filter(name="order.paid").update(created_at=clock.now() - timedelta(days=2))

    assert [row["name"] for row in owner.get("/events").json()["results"]][-1] == "order.paid"
    assert [row["name"] for row in owner.get("/events", name="order.*").json()["results"]] == [
        "order.sent",
        "order.paid",
    ]
    since = (clock.now() - timedelta(days=1)).isoformat()
    row = owner.get("/events", name="order.*", since=since).json()["results"][0]
    event = row.pop("event")
    assert (event["type"], event["data"], event["id"]) == ("order.sent", {"n": 1}, row["id"])
    assert row == {
        "id": row["id"],
        "name": "order.sent",
        "payload": {"n": 1},
        "run_id": None,
        "path": "tell",
        "sent_by": "",
        "hops": 0,
        "created_at": row["created_at"],
    }


def test_old_events_are_forgotten(owner, settings):
    settings.BRAINOPS_EVENT_DAYS = 3
    for days in (1, 4):
        event = Event.objects.create(workspace=owner.workspace, name=f"d{days}")
        Event.objects.filter(id=event.id).update(created_at=clock.now() - timedelta(days=days))

    state.forget_expired()

    assert list(Event.objects.values_list("name", flat=True)) == ["d1"]


def test_members_read_operators_write_and_strangers_see_nothing(owner, member, stranger):
    kept(owner, "k")
    viewer, operator = member(Role.VIEWER), member(Role.OPERATOR)

    assert [who.get("/state/k").status_code for who in (owner, viewer, operator, stranger)] == [200, 200, 200, 404]
    assert [who.put("/state/k", {"value": 2}).status_code for who in (viewer, operator)] == [403, 200]
    assert [who.delete("/state/k").status_code for who in (viewer, stranger)] == [403, 404]
    assert stranger.get("/state").json()["results"] == []
    assert stranger.get("/events").json()["results"] == []
    assert stranger.put("/state/k", {"value": "mine"}).status_code == 201
    assert owner.get("/state/k").json()["value"] == 2


def test_changes_by_people_are_audited_without_the_value(owner):
    owner.put("/state/k", {"value": "hush"})
    owner.delete("/state/k")

    entries = list(AuditEntry.objects.filter(target_kind="state_value").order_by("id").values_list("action", "summary"))
    assert entries == [
        ("state.set", "Set the key 'k' of the store."),
        ("state.delete", "Deleted the key 'k' of the store."),
    ]
