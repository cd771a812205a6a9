"""/subscriptions/{id}/deliveries over the API: what was sent, each try of it, and sending it again."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from brainops.core import clock
from webhooks.models import OutboundDelivery, Subscription
from webhooks.services import outbound_acts
from webhooks.tests.outbound.receiver import Answer
from webhooks.tests.outbound.rows import NOWHERE, URL, problems, put, send_all, subscribe

pytestmark = pytest.mark.django_db


def test_deliveries_are_listed_filtered_and_read_with_every_try(owner, home, receiver):
    receiver.answers = [Answer(500, body=b"no")]
    subscription = subscribe(home, receiver.url)
    workflow_id = uuid4()
    first, second = put(subscription, type="a", workflow_id=workflow_id), put(subscription, type="b", state="failed")
    send_all()
    at = f"/subscriptions/{subscription.id}/deliveries"

    def found(**query) -> set[str]:
        answer = owner.get(at, **query)
        assert answer.status_code == 200, answer.content
        return {row["id"] for row in answer.json()["results"]}

    assert found() == {str(first.id), str(second.id)}
    assert found(state="failed") == {str(second.id)}
    assert found(type="a") == found(workflow_id=workflow_id) == found(event_id=first.event_id) == {str(first.id)}
    assert found(is_test="true") == found(until="2026-01-01T00:00:00Z") == set()
    assert found(since="2026-01-01T00:00:00Z") == {str(first.id), str(second.id)}
    assert owner.get(at, state="lost").status_code == 400
    whole = owner.get(f"{at}/{first.id}").json()
    (try_,) = whole["tries"]
    assert (try_["status"], try_["answer"], try_["next_at"]) == (500, "no", whole["next_at"])
    assert (whole["body"], whole["state"], whole["attempts"]) == (first.body, "pending", 1)


def test_a_delivery_is_sent_again_under_its_id_and_not_while_it_is_on_its_way(owner, home, receiver):
    subscription = subscribe(home, receiver.url)
    delivery = put(subscription)
    send_all()
    at = f"/subscriptions/{subscription.id}/deliveries/{delivery.id}/redeliver"

    again, refused = owner.post(at), owner.post(at)
    send_all()

    assert (again.status_code, again.json()["state"], again.json()["attempts"]) == (202, "pending", 0)
    assert (refused.status_code, refused.json()["code"]) == (409, "delivery_pending")
    assert [got.headers["webhook-id"] for got in receiver.got] == [str(delivery.id)] * 2
    Subscription.objects.update(is_active=False, off_reason="person")
    off = owner.post(at)
    assert (off.status_code, off.json()["code"]) == (409, "subscription_off")


def test_all_that_failed_since_an_instant_is_sent_again_so_many_a_minute(owner, home):
    subscription = subscribe(home, URL)
    now = clock.now()
    old = put(subscription, state="failed", created_at=now - timedelta(days=2))
    failed = [put(subscription, state=state, created_at=now - timedelta(hours=3)) for state in ("failed", "dropped")]
    arrived = put(subscription, state="sent", created_at=now - timedelta(hours=3))
    before = clock.now()

    said = {"since": (now - timedelta(hours=4)).isoformat(), "per_minute": 2}
    answer = owner.post(f"/subscriptions/{subscription.id}/replay", said)

    assert (answer.status_code, answer.json()) == (202, {"count": 2, "seconds": 30.0, "more": 0})
    for row in (old, arrived, *failed):
        row.refresh_from_db()
    assert (old.state, arrived.state) == ("failed", "sent")
    assert {row.state for row in failed} == {"pending"}
    first, last = sorted(row.next_at for row in failed)
    assert (last - first, first >= before) == (timedelta(seconds=30), True)
    assert OutboundDelivery.objects.get(id=failed[0].id).ends_at - first > timedelta(hours=23)


def test_a_replay_has_a_bound_and_says_what_is_left(owner, home, monkeypatch):
    monkeypatch.setattr(outbound_acts, "MOST_REPLAYED", 2)
    subscription = subscribe(home, URL)
    for _ in range(3):
        put(subscription, state="failed")

    answer = owner.post(f"/subscriptions/{subscription.id}/replay", {"since": "2026-01-01T00:00:00Z"})

    assert answer.json() == {"count": 2, "seconds": 0.2, "more": 1}


def test_chosen_deliveries_are_sent_again_also_those_that_arrived(owner, home):
    subscription = subscribe(home, URL)
    chosen, other = put(subscription, state="sent"), put(subscription, state="failed")

    answer = owner.post(f"/subscriptions/{subscription.id}/replay", {"deliveries": [str(chosen.id)]})

    assert answer.json() == {"count": 1, "seconds": 0.0, "more": 0}
    other.refresh_from_db()
    assert other.state == "failed"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, [("required", "/deliveries")]),
        ({"deliveries": [NOWHERE], "since": "2026-01-01T00:00:00Z"}, [("required", "/deliveries")]),
        ({"deliveries": [NOWHERE], "until": "2026-01-01T00:00:00Z"}, [("unexpected", "/until")]),
        ({"deliveries": [NOWHERE]}, [("not_found", "/deliveries/0")]),
    ],
    ids=["nothing", "both", "until", "unknown"],
)
def test_a_replay_says_what_is_wrong_with_it(owner, home, body, expected):
    subscription = subscribe(home, URL)

    assert problems(owner.post(f"/subscriptions/{subscription.id}/replay", body)) == expected


def test_what_is_old_and_over_goes_and_what_is_on_its_way_stays(home, settings, transactional_db):
    subscription = subscribe(home, URL)
    old = clock.now() - timedelta(days=31)
    put(subscription, state="sent", created_at=old)
    kept = [put(subscription, created_at=old), put(subscription, state="sent")]
    connection = outbound_acts.Connection()

    gone = outbound_acts.forget_old(connection, lambda: False)
    settings.BRAINOPS_RETENTION_WEBHOOK_DAYS = 0
    none = outbound_acts.forget_old(connection, lambda: False)

    connection.close()
    assert (gone, none) == (1, 0)
    assert set(OutboundDelivery.objects.values_list("id", flat=True)) == {row.id for row in kept}
