"""Events that lead to events: counted through runs, calls and retries, and stopped when they go in a circle."""

import time

import pytest
from django.db import connection, transaction

from automation.models import Event, EventDelivery, Run
from automation.services import retries
from automation.services.retries import Repeat
from automation.store import events
from automation.store.intake import CalledBy
from automation.tests.events.rows import items_of, listen, publish, runs_of, said, settle
from automation.tests.notices.rows import OK, begin, end
from automation.tests.triggers.rows import make_workflow
from brainops.accounts.caller import system_caller

CIRCLE = {
    "schema": 1,
    "steps": [
        {"id": "again", "uses": "emit_event", "with": {"name": "round.done", "payload": "{{ trigger.item + 1 }}"}},
    ],
}


def emit(run, type_="order.sent"):
    """What a step of a run emits, as a worker writes it."""
    with transaction.atomic(), connection.cursor() as cursor:
        return events.emit_event(cursor, run.workspace_id, said(type_), run_id=run.id, path="tell").id


def hops_of(event_id):
    row = Event.objects.get(id=event_id)
    return row.hops, row.cause


@pytest.fixture
def started(db):
    """An event, and the run that it started."""
    trigger = listen("order.paid")
    event = publish(trigger.workspace, said("order.paid", {"id": 7}))
    settle()
    (run,) = runs_of(trigger)
    return event.id, run


def test_what_a_run_emits_by_itself_begins_a_chain(db):
    run = begin(make_workflow())

    assert hops_of(emit(run)) == (0, None)


def test_what_a_run_emits_is_one_hop_from_what_started_it(started):
    event_id, run = started

    assert hops_of(emit(run)) == (1, event_id)


def test_a_workflow_that_it_calls_goes_on_with_the_chain(started):
    event_id, run = started
    called = begin(make_workflow(name="Called"), called_by=CalledBy(run.id, "call", 1))
    below = begin(make_workflow(name="Below"), called_by=CalledBy(called.id, "call", 2, is_detached=True))

    assert [hops_of(emit(one)) for one in (called, below)] == [(1, event_id)] * 2


def test_a_retry_goes_on_with_the_chain(started):
    event_id, run = started
    end(run)

    again = retries.retry(system_caller(run.workspace_id, "tests"), run.uid, Repeat("start"))

    assert hops_of(emit(Run.objects.get(id=again.id))) == (1, event_id)


def test_an_event_says_what_led_to_it(started, owner):
    event_id, run = started
    third = emit(run)

    row = Event.objects.get(id=third)
    Event.objects.filter(id__in=[event_id, third]).update(workspace=owner.workspace)
    shown = owner.get(f"/events/{row.id}").json()

    assert shown["hops"] == 1
    assert shown["event"]["brainopshops"] == 1
    assert shown["chain"] == [{"id": str(event_id), "type": "order.paid", "run_id": None}]


def test_a_chain_of_events_ends_at_the_limit_and_is_named(db):
    trigger = listen("order.*")
    publish(trigger.workspace, said("order.first"))
    for _ in range(20):
        settle()
        if not (unended := Run.objects.filter(status__lt=50).first()):
            break
        emit(unended, "order.next")
        end(unended, OK)

    letter = EventDelivery.objects.get(state="dead")
    first, *others = Event.objects.order_by("hops")
    assert (len(runs_of(trigger)), [one.hops for one in others]) == (9, [*range(1, 10)])
    assert (letter.code, letter.event_id) == ("hop_limit", others[-1].id)
    assert letter.reason.startswith("The event is 9 events away from the first one, more than 8 (BRAINOPS_LIMIT_EVENT_")
    assert (
        f"? order.first ({first.id}) → order.next ({others[0].id} of run {runs_of(trigger)[0].uid}) → " in letter.reason
    )


def test_hops_of_elsewhere_count(db):
    trigger = listen()
    far = said(extensions={"brainopshops": 9})

    publish(trigger.workspace, far, origin=events.Origin(hops=9))
    settle()

    assert EventDelivery.objects.get().code == "hop_limit"


@pytest.mark.django_db(transaction=True)
def test_a_workflow_that_emits_what_starts_it_stops(runtime):
    trigger = listen("round.done", definition=CIRCLE)
    publish(trigger.workspace, said("round.done", 1))

    deadline = time.monotonic() + 60
    while not EventDelivery.objects.filter(state="dead").exists() and time.monotonic() < deadline:
        runtime.dispatcher.call()
        time.sleep(0.05)

    assert items_of(trigger) == [*range(1, 10)]
    assert list(EventDelivery.objects.filter(state="dead").values_list("code", flat=True)) == ["hop_limit"]
