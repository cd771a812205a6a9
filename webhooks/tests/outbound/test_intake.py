"""Which events become deliveries: each once for each subscription that hears of it, and of no other workspace."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import connection

from automation.models import EventWish, QueuedEvent
from automation.services.event_listeners import Heard, listeners
from automation.store.events import source_of
from automation.tests.notices.rows import make_workflow, run_once
from webhooks import event_patterns
from webhooks.models import OutboundDelivery
from webhooks.services import outbound_intake, subscriptions
from webhooks.tests import make
from webhooks.tests.outbound.rows import AT, URL, bring, dispatch_all, publish, subscribe

pytestmark = pytest.mark.django_db


def told() -> list[str]:
    """The types of the outbox, oldest first."""
    return list(OutboundDelivery.objects.order_by("created_at", "id").values_list("type", flat=True))


@pytest.mark.parametrize(
    ("pattern", "heard", "not_heard"),
    [
        ("order.paid", ["order.paid"], ["order.paid.late", "order", "order.Paid"]),
        ("order.*", ["order.paid", "order.a.b"], ["order", "orders.paid"]),
        ("run.*", ["brainops.run.failed", "run.of.a.mill"], ["brainops.workflow.deleted"]),
        ("brainops.run.failed", ["brainops.run.failed"], ["run.failed"]),
        ("*", ["a", "brainops.run.failed"], []),
    ],
)
def test_a_pattern_means_types_and_what_brainops_says(pattern, heard, not_heard):
    assert [type_ for type_ in (*heard, *not_heard) if event_patterns.matches(pattern, type_)] == heard


@pytest.mark.parametrize(
    "text", ["", "run.", ".run", "run*", "*.failed", "run.*.x", "run failed", "a\n", "a" * 201, "**"]
)
def test_what_is_no_pattern_is_refused_with_an_example(text):
    assert "run.failed" in str(event_patterns.refusal_of(text))


def test_an_event_is_told_to_those_who_want_it_once_with_what_is_posted(home):
    wants, other = subscribe(home, URL, "order.*"), subscribe(home, URL, "invoice.*")

    event_id = publish(home, "order.paid", {"order": 7})

    row = OutboundDelivery.objects.get()
    assert (row.subscription_id, row.event_id, row.state) == (wants.id, str(event_id), "pending")
    assert row.body == {"type": "order.paid", "timestamp": AT, "data": {"order": 7}}
    assert not OutboundDelivery.objects.filter(subscription=other).exists()
    assert not QueuedEvent.objects.exists()


def test_an_event_of_another_workspace_is_nobodys_business(home):
    elsewhere = make.workspace()
    subscribe(elsewhere, URL)

    publish(home)

    assert told() == []


def test_a_wish_that_names_a_subscription_of_another_workspace_brings_nothing(home):
    theirs = subscribe(make.workspace(), URL)

    bring(home, [theirs.id])

    assert told() == []


def test_an_event_that_is_brought_again_is_sent_once(home):
    subscription = subscribe(home, URL)
    event_id = uuid4()

    for _ in range(3):
        bring(home, [subscription.id], id=event_id)

    assert told() == ["order.paid"]


def test_two_subscriptions_of_one_address_are_each_sent_it(home):
    first, second = subscribe(home, URL), subscribe(home, URL)

    bring(home, [first.id, second.id])

    assert len(told()) == 2


def test_what_becomes_of_a_run_is_told(home):
    subscribe(home, URL, "run.*")
    workflow = make_workflow(home)

    run = run_once(workflow)
    dispatch_all()

    row = OutboundDelivery.objects.get()
    assert (row.type, row.workflow_id) == ("brainops.run.failed", workflow.id)
    assert row.body["data"]["run_id"] == str(run.uid)


def test_only_the_events_of_some_workflows_are_heard(home):
    orders, other = make_workflow(home, "Orders"), make_workflow(home, "Other")
    subscribe(home, URL, "run.*", workflow_ids=[str(orders.id)])

    run_once(other)
    run_once(orders)
    dispatch_all()

    assert [row.workflow_id for row in OutboundDelivery.objects.all()] == [orders.id]


def test_only_the_events_of_workflows_with_a_tag_are_heard(home):
    tagged, other = make_workflow(home, "Tagged", tags=["crm", "eu"]), make_workflow(home, "Other", tags=["us"])
    subscribe(home, URL, "run.*", tags=["eu", "asia"])

    run_once(other)
    run_once(tagged)
    dispatch_all()

    assert [row.workflow_id for row in OutboundDelivery.objects.all()] == [tagged.id]


def test_a_subscription_to_some_workflows_hears_of_no_event_that_is_about_none(home):
    workflow = make_workflow(home)
    subscribe(home, URL, workflow_ids=[str(workflow.id)])

    publish(home, "order.paid", {"workflow_id": str(workflow.id)})  # anybody may say that

    assert told() == []


def test_what_a_run_emits_is_about_its_workflow(home):
    workflow = make_workflow(home)
    subscription = subscribe(home, URL, workflow_ids=[str(workflow.id)])
    event = bring(home, [], run_uid=uuid4())
    said = type(event.event)(type="order.paid", source=source_of(workflow.id), time=AT)
    emitted = type(event)(uuid4(), home.id, said, 0, uuid4(), "step", event.created_at)
    outside = type(event)(uuid4(), home.id, said, 0, None, "", event.created_at)

    with connection.cursor() as cursor:
        outbound_intake.take(cursor, [Heard(one, 1, (subscription.id,)) for one in (emitted, outside)])

    assert [row.event_id for row in OutboundDelivery.objects.all()] == [str(emitted.id)]


def test_a_subscription_that_is_off_or_gone_hears_of_nothing(home):
    off = subscribe(home, URL, is_active=False, off_reason="person")

    bring(home, [off.id, uuid4()])

    assert told() == []


def test_where_an_event_went_is_said_for_people(home):
    subscription = subscribe(home, URL)
    event_id = publish(home)

    went = listeners.get(outbound_intake.LISTENER).went([event_id, uuid4()])

    row = OutboundDelivery.objects.get()
    assert went == {
        event_id: [
            {
                "listener": "subscriptions",
                "id": row.id,
                "subscription_id": subscription.id,
                "state": "pending",
                "attempts": 0,
                "last_error": "",
            }
        ]
    }


def test_wishes_follow_the_subscription(home):
    owner = make.caller(make.person(home), home)
    said = {"url": URL, "types": ["run.failed", "*"]}

    made = subscriptions.create(owner, **said).subscription
    assert set(EventWish.objects.values_list("holder", "type")) == {
        (made.id, "run.failed"),
        (made.id, "brainops.run.failed"),
        (made.id, "*"),
    }
    subscriptions.change(owner, made.id, {"types": ["order.*"]})
    assert set(EventWish.objects.values_list("type", flat=True)) == {"order.*", "brainops.order.*"}
    subscriptions.change(owner, made.id, {"is_active": False})
    assert not EventWish.objects.exists()
    subscriptions.change(owner, made.id, {"is_active": True})
    assert EventWish.objects.count() == 2
    subscriptions.delete(owner, made.id)
    assert not EventWish.objects.exists()


def test_the_api_of_events_says_to_which_subscriptions_one_went(home, owner):
    subscription = subscribe(home, URL)
    event_id = publish(home)

    whole = owner.get(f"/events/{event_id}")

    assert whole.status_code == 200, whole.content
    row = OutboundDelivery.objects.get()
    assert str(row.id) in whole.content.decode()
    assert str(subscription.id) in whole.content.decode()
