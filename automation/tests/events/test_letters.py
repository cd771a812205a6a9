"""Deliveries that start no run: skipped, tried again, dead letters, and what people do about them."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from automation.models import Event, EventDelivery, Trigger, Workflow
from automation.services import arrivals, state
from automation.services.event_deliveries import pause_seconds
from automation.tests.api.conftest import make_person
from automation.tests.events.rows import items_of, listen, publish, runs_of, said, settle, went
from automation.tests.triggers.rows import DEFINITION, make_workflow
from brainops.accounts.models import Role
from brainops.audit.models import AuditEntry

pytestmark = pytest.mark.django_db

STRICT = {
    **DEFINITION,
    "inputs": {"type": "object", "properties": {"total": {"type": "integer"}}, "required": ["total"]},
}


def be_due():
    """The time of what waits has come."""
    EventDelivery.objects.filter(state="pending").update(next_at=Now() - timedelta(seconds=1))


@pytest.fixture
def strict(owner):
    """A trigger whose workflow asks for a total."""
    return listen(workflow=make_workflow(workspace=owner.workspace, definition=STRICT))


@pytest.fixture
def broken(monkeypatch):
    """Whatever arrives, an error of our own is in the way, until it is taken out."""
    faults = ["first"]
    take = arrivals.take

    def stumble(cursor, listening, items, **how):
        if faults and items[0].data != "fine":
            raise RuntimeError(faults[0])
        return take(cursor, listening, items, **how)

    monkeypatch.setattr(arrivals, "take", stumble)
    return faults


def test_the_fields_of_the_data_are_the_inputs(strict):
    publish(strict.workspace, said(data={"total": 7}))
    settle()

    (run,) = runs_of(strict)
    assert run.data.input["inputs"] == {"total": 7}


def test_an_event_that_does_not_fit_the_workflow_is_a_dead_letter_at_once(strict):
    publish(strict.workspace, said(data={"total": "many"}))
    settle()

    row = EventDelivery.objects.get()
    assert (row.state, row.code, row.attempts, row.run_uid) == ("dead", "refused", 1, None)
    assert "total" in row.reason


def test_a_condition_that_does_not_hold_is_no_failure():
    trigger = listen()
    Trigger.objects.filter(id=trigger.id).update(condition="{{ trigger.item.total > 100 }}")

    for total in (50, 150):
        publish(trigger.workspace, said(data={"total": total}))
    settle()

    assert went(trigger) == [("skipped", "condition"), ("ran", "")]
    assert items_of(trigger) == [{"total": 150}]


def test_a_workflow_that_is_switched_off_gets_nothing():
    trigger = listen()
    Workflow.objects.update(is_active=False)

    publish(trigger.workspace, said())
    settle()

    assert went(trigger) == [("skipped", "inactive")]


def test_what_fails_is_tried_again_later_and_given_up_in_the_end(broken, settings):
    settings.BRAINOPS_EVENT_ATTEMPTS = 3
    trigger = listen()
    publish(trigger.workspace, said())

    seen = []
    for _ in range(3):
        settle()
        row = EventDelivery.objects.get()
        seen.append((row.state, row.attempts, row.code))
        be_due()

    assert seen == [("pending", 1, "failed"), ("pending", 2, "failed"), ("dead", 3, "failed")]
    assert runs_of(trigger) == []


def test_an_event_that_fails_holds_up_no_other(broken):
    trigger = listen()

    for data in ("bad", "fine", "fine"):
        publish(trigger.workspace, said(data=data))
    settle()

    assert went(trigger) == [("pending", "failed"), ("ran", ""), ("ran", "")]


def test_a_failure_that_passes_starts_the_run_after_all(broken):
    trigger = listen()
    publish(trigger.workspace, said(data=1))
    settle()

    broken.clear()
    be_due()
    settle()

    assert (went(trigger), items_of(trigger)) == ([("ran", "")], [1])


@pytest.mark.parametrize(
    ("attempts", "seconds"),
    [
        (1, 10),  # 10 * 2**0
        (4, 80),  # 10 * 2**3
        (12, 3600),  # 10 * 2**11 = 20,480, capped
    ],
)
def test_the_pause_grows_and_is_capped(attempts, seconds):
    assert pause_seconds(attempts) == seconds


def test_a_day_without_runs_left_is_waited_for(owner):
    trigger = listen(workflow=make_workflow(workspace=owner.workspace))
    owner.workspace.max_runs_per_day = 1
    owner.workspace.save()

    for number in (1, 2):
        publish(owner.workspace, said(data=number))
    settle()
    waiting = went(trigger)
    owner.workspace.max_runs_per_day = 9
    owner.workspace.save()
    be_due()
    settle()

    assert waiting == [("ran", ""), ("pending", "over_quota")]
    assert items_of(trigger) == [1, 2]


def test_a_dead_letter_is_delivered_again_when_it_fits(strict, owner):
    publish(strict.workspace, said(data={"total": "many"}))
    settle()
    (letter,) = owner.get("/event-deliveries", state="dead").json()["results"]

    Workflow.objects.filter(id=strict.workflow_id).update(
        current_version=make_workflow(workspace=owner.workspace).current_version
    )
    answer = owner.post(f"/event-deliveries/{letter['id']}/redeliver")
    settle()

    assert (answer.status_code, answer.json()["state"], letter["event_type"]) == (200, "pending", "order.paid")
    assert owner.get(f"/event-deliveries/{letter['id']}").json()["state"] == "ran"
    assert items_of(strict) == [{"total": "many"}]
    assert owner.post(f"/event-deliveries/{letter['id']}/redeliver").json()["code"] == "not_redeliverable"


def test_a_dead_letter_may_be_discarded_and_taken_back(strict, owner):
    publish(strict.workspace, said(data={}))
    settle()
    path = f"/event-deliveries/{EventDelivery.objects.get().id}"

    discarded = owner.post(f"{path}/discard")
    again = owner.post(f"{path}/discard")
    back = owner.post(f"{path}/redeliver")
    settle()

    assert (discarded.json()["state"], again.json()["code"], back.status_code) == ("discarded", "no_dead_letter", 200)
    assert owner.get(path).json()["state"] == "dead"
    actions = AuditEntry.objects.filter(target_kind="event_delivery").order_by("id").values_list("action", flat=True)
    assert list(actions) == ["event.discard", "event.redeliver"]


def test_viewers_read_letters_operators_deal_with_them_and_strangers_see_none(strict, member, stranger):
    publish(strict.workspace, said(data={}))
    settle()
    path = f"/event-deliveries/{EventDelivery.objects.get().id}"
    viewer, operator = member(Role.VIEWER), member(Role.OPERATOR)

    assert [who.get(path).status_code for who in (viewer, operator, stranger)] == [200, 200, 404]
    for verb in ("redeliver", "discard"):
        assert [who.post(f"{path}/{verb}").status_code for who in (viewer, stranger)] == [403, 404]
    assert operator.post(f"{path}/discard").status_code == 200
    assert stranger.get("/event-deliveries").json()["results"] == []


def test_a_key_that_may_only_write_deals_with_no_letter(strict, owner):
    publish(strict.workspace, said(data={}))
    settle()
    sender = make_person(owner.workspace, scopes=("events:write",))

    assert sender.post(f"/event-deliveries/{EventDelivery.objects.get().id}/discard").status_code == 403
    assert went(strict) == [("dead", "refused")]


def test_deliveries_are_found_by_event_and_trigger(strict, owner):
    other = listen(workflow=make_workflow(workspace=owner.workspace))
    events = [publish(owner.workspace, said(data={"total": number})) for number in (1, 2)]
    settle()

    assert len(owner.get("/event-deliveries").json()["results"]) == 4
    assert len(owner.get("/event-deliveries", event_id=str(events[0].id)).json()["results"]) == 2
    (row,) = owner.get("/event-deliveries", event_id=str(events[0].id), trigger_id=str(other.id)).json()["results"]
    assert (row["state"], row["workflow_id"]) == ("ran", str(other.workflow_id))


def test_what_is_old_goes_with_its_letters_and_what_is_pending_stays(strict, broken):
    broken.clear()
    publish(strict.workspace, said(data={}))
    settle()
    broken.append("again")
    publish(strict.workspace, said(data={"total": 1}))
    settle()
    Event.objects.update(created_at=Now() - timedelta(days=31))

    state.forget_expired()

    assert list(EventDelivery.objects.values_list("state", flat=True)) == ["pending"]
    assert Event.objects.count() == 1
