"""Events in the admin: the list, the page of one, and what may be done about dead letters."""

from __future__ import annotations

import pytest

from automation.engine.status import RunStatus
from automation.models import Event, EventDelivery
from automation.tests.admin.conftest import make_run, make_staff
from automation.tests.events.rows import items_of, listen, publish, said, settle
from automation.tests.events.test_letters import STRICT
from automation.tests.triggers.rows import make_workflow
from brainops.audit.models import AuditEntry

pytestmark = pytest.mark.django_db

EVENTS, DELIVERIES = "/admin/automation/event/", "/admin/automation/eventdelivery/"


@pytest.fixture
def letter() -> EventDelivery:
    """A dead letter: its workflow asks for a total that the event does not have."""
    trigger = listen(definition=STRICT)
    publish(trigger.workspace, said(data={"note": "<b>bold</b>"}, subject="orders/7"))
    settle()
    return EventDelivery.objects.get()


def test_events_lead_to_their_run_with_as_many_queries_however_many_there_are(admin_of_all, django_assert_num_queries):
    workflow = make_workflow()
    run = make_run(workflow, status=RunStatus.SUCCEEDED)
    for number in range(5):
        Event.objects.create(workspace=workflow.workspace, name=f"order.{number}", payload=number, run=run, path="a")
    Event.objects.create(workspace=workflow.workspace, name="of.a.pruned.run")

    html = admin_of_all.get(EVENTS).content.decode()

    assert html.count(f"/admin/automation/run/{run.uid}/") == 5
    assert "of.a.pruned.run" in html
    with django_assert_num_queries(6):  # session, user, the filter's workspaces, count, rows, where they went
        admin_of_all.get(EVENTS)


def test_the_list_says_where_an_event_went(admin_of_all, letter):
    html = admin_of_all.get(EVENTS, {"q": "orders/7"}).content.decode()

    assert "1 dead letter" in html
    assert f"{EVENTS}{letter.event_id}/" in html


def test_the_page_of_an_event_shows_all_of_it_and_why_it_started_nothing(admin_of_all, letter):
    html = admin_of_all.get(f"{EVENTS}{letter.event_id}/").content.decode()

    assert "https://shop.example.com" in html
    assert "&lt;b&gt;bold&lt;/b&gt;" in html
    assert "refused: " in html
    assert "Deliver again" in html


def test_a_dead_letter_is_delivered_again_or_put_aside(admin_of_all, letter):
    page = f"{EVENTS}{letter.event_id}/act/"

    put_aside = admin_of_all.post(page, {"delivery": letter.id, "act": "discard"}, follow=True).content.decode()
    again = admin_of_all.post(page, {"delivery": letter.id, "act": "redeliver"}, follow=True).content.decode()
    settle()
    refused = admin_of_all.post(page, {"delivery": letter.event_id, "act": "redeliver"}, follow=True)

    assert ("It is put aside." in put_aside, "It is brought to its trigger again." in again) == (True, True)
    assert EventDelivery.objects.get().repeats == 1
    assert refused.status_code == 200
    actions = AuditEntry.objects.filter(target_kind="event_delivery").order_by("id").values_list("action", flat=True)
    assert list(actions) == ["event.discard", "event.redeliver"]


def test_chosen_dead_letters_are_delivered_again_together(admin_of_all, letter):
    fine = listen(name="Fine")
    publish(fine.workspace, said(data={"total": 1}))
    settle()
    chosen = list(EventDelivery.objects.values_list("id", flat=True))
    data = {"action": "redeliver", "_selected_action": chosen}

    html = admin_of_all.post(DELIVERIES, data, follow=True).content.decode()

    assert "1 brought to its trigger again." in html
    assert "The event started a run: retry that run." in html
    assert items_of(fine) == [{"total": 1}]


def test_the_filter_shows_the_dead_letters(admin_of_all, letter):
    assert "order.paid" in admin_of_all.get(DELIVERIES, {"state__exact": "dead"}).content.decode()
    assert "order.paid" not in admin_of_all.get(DELIVERIES, {"state__exact": "ran"}).content.decode()


def test_who_may_only_look_finds_no_button(letter):
    looker = make_staff("view_event", "view_eventdelivery")

    html = looker.get(f"{EVENTS}{letter.event_id}/").content.decode()

    assert "Deliver again" not in html
    assert looker.post(f"{EVENTS}{letter.event_id}/act/", {"act": "discard"}).status_code == 403
    looker.post(DELIVERIES, {"action": "discard", "_selected_action": [letter.id]})
    assert EventDelivery.objects.get().state == "dead"


def test_staff_without_the_right_see_none(letter):
    stranger = make_staff()

    assert [stranger.get(page).status_code for page in (EVENTS, DELIVERIES, f"{EVENTS}{letter.event_id}/")] == [403] * 3
