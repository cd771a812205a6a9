"""The bus of a workspace: each event reaches each trigger that wants it, once, and nobody else."""

import pytest

from automation.models import Event, EventDelivery, EventWish, Trigger
from automation.services import event_listeners
from automation.services.event_listeners import Listener, listeners, want, want_no_more
from automation.tests.events.rows import SHOP, items_of, listen, publish, queued, runs_of, said, settle, went
from automation.tests.triggers.rows import make_workflow, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def heard(monkeypatch):
    """What a listener "ear" was told, in its order."""
    told = []
    known = {**listeners._providers, "ear": Listener(take=lambda _cursor, batch: told.extend(batch))}
    monkeypatch.setattr(event_listeners.listeners, "_providers", known)
    return told


def test_an_event_starts_one_run_of_each_trigger_that_wants_it():
    exact, by_beginning, other = listen("order.paid"), listen("order.*"), listen("invoice.paid")

    publish(exact.workspace, said("order.paid", {"id": 7}))
    settle()

    assert [items_of(one) for one in (exact, by_beginning, other)] == [[{"id": 7}], [{"id": 7}], []]
    assert queued() == 0


def test_a_run_sees_the_event_that_started_it():
    trigger = listen()

    published = publish(
        trigger.workspace, said("order.paid", {"id": 7}, id="a1", subject="7", extensions={"tier": "x"})
    )
    settle()

    (run,) = runs_of(trigger)
    seen = run.data.input["trigger"]
    time, received = seen["event"].pop("time"), seen.pop("received_at")
    assert seen == {
        "kind": "event",
        "trigger_id": str(trigger.id),
        "key": str(published.id),
        "item": {"id": 7},
        "at": seen["at"],
        "event": {
            "specversion": "1.0",
            "id": "a1",
            "source": SHOP,
            "type": "order.paid",
            "subject": "7",
            "tier": "x",
        },
    }
    assert time.endswith("Z")
    assert received


def test_the_events_of_a_workspace_reach_no_other():
    ours, theirs = listen(), listen(workflow=make_workflow(workspace=make_workspace("globex")))

    publish(ours.workspace, said(data=1))
    settle()

    assert (items_of(ours), items_of(theirs)) == ([1], [])


def test_what_nobody_wants_is_kept_and_not_queued():
    trigger = listen("invoice.*")

    publish(trigger.workspace, said("order.paid"))

    assert (Event.objects.count(), queued()) == (1, 0)


def test_a_listener_takes_what_its_holders_want(heard):
    trigger = listen("order.*")
    want("ear", trigger.id, workspace_id=trigger.workspace_id, types=["order.paid", "invoice.*"])

    for type_ in ("order.paid", "order.sent", "invoice.paid"):
        publish(trigger.workspace, said(type_))
    settle()

    assert [(one.event.event.type, one.holders) for one in heard] == [
        ("order.paid", (trigger.id,)),
        ("invoice.paid", (trigger.id,)),
    ]
    assert len(runs_of(trigger)) == 2


def test_who_wants_no_more_is_told_no_more(heard):
    trigger = listen("order.*")
    want("ear", trigger.id, workspace_id=trigger.workspace_id, types=["*"])
    want_no_more("ear", trigger.id)

    publish(trigger.workspace, said())
    settle()

    assert heard == []


def test_the_wishes_of_a_trigger_follow_its_row():
    trigger = listen(["order.paid", "invoice.*"])
    first = set(EventWish.objects.values_list("holder", "type"))

    Trigger.objects.filter(id=trigger.id).update(config={"type": "order.*"})
    changed = set(EventWish.objects.values_list("holder", "type"))
    Trigger.objects.update(is_active=False)
    switched_off = EventWish.objects.count()
    Trigger.objects.update(is_active=True)
    switched_on = EventWish.objects.count()
    Trigger.objects.get().delete()

    assert first == {(trigger.id, "order.paid"), (trigger.id, "invoice.*")}
    assert changed == {(trigger.id, "order.*")}
    assert (switched_off, switched_on, EventWish.objects.count()) == (0, 1, 0)


def test_events_of_one_workspace_keep_their_order():
    trigger = listen()

    for number in range(120):  # more than one batch
        publish(trigger.workspace, said(data=number))
    settle()

    assert items_of(trigger) == list(range(120))


def test_an_event_of_a_workspace_that_is_gone_is_told_to_nobody():
    trigger = listen()
    publish(trigger.workspace, said())
    trigger.workflow.delete()
    trigger.workspace.delete()

    settle()

    assert (queued(), EventDelivery.objects.count()) == (0, 0)


def test_a_listener_that_cannot_take_an_event_keeps_it_from_nobody(heard, monkeypatch):
    def refuse(_cursor, batch):
        if any(one.event.event.data == "bad" for one in batch):
            raise RuntimeError("no")
        heard.extend(batch)

    known = {"ear": Listener(take=refuse), "trigger": listeners.get("trigger")}
    monkeypatch.setattr(event_listeners.listeners, "_providers", known)
    trigger = listen()
    want("ear", trigger.id, workspace_id=trigger.workspace_id, types=["*"])

    for data in ("one", "bad", "three"):
        publish(trigger.workspace, said(data=data))
    settle()

    assert [one.event.event.data for one in heard] == ["one", "three"]
    assert items_of(trigger) == ["one", "bad", "three"]
    assert went(trigger) == [("ran", "")] * 3
