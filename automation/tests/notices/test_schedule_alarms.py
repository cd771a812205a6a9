"""Schedules that should have run and have not: told once, and once when they run again."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db.models.functions import Now

from automation.models import Firing, NoticeDelivery, NoticeRule, ScheduleAlarm, Trigger, Workflow
from automation.models.firing import FiringDecision
from automation.services import notice_letters, schedule_watch
from automation.services.notice_decisions import decide_due
from automation.services.notice_sending import webhook_body
from automation.services.schedules import fire_due
from automation.tests.moved_clock import database_now, move_clock
from automation.tests.notices.rows import OK, make_rule, run_once, told
from automation.tests.triggers.rows import make_schedule

pytestmark = pytest.mark.django_db

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LONG_AGO = datetime(2026, 1, 5, 9, tzinfo=UTC)


@pytest.fixture
def watcher(home) -> NoticeRule:
    """A rule that hears of schedules."""
    return make_rule(home, name="Clock", events=["did_not_run", "runs_again"])


def whole_minute():
    return database_now().replace(second=0, microsecond=0)


def make_overdue(orders, **values):
    return make_schedule(orders, due=-HOUR, name="Nightly", **values)


def alarms():
    return [(alarm.kind, alarm.reason) for alarm in ScheduleAlarm.objects.order_by("id")]


def test_a_slot_that_nobody_fired_is_told_once_and_once_when_it_runs(watcher, orders):
    make_overdue(orders)

    assert [schedule_watch.look(), schedule_watch.look()] == [1, 0]
    decide_due()
    assert told(watcher) == ["did_not_run"]

    fire_due()
    schedule_watch.look()
    decide_due()
    assert told(watcher) == ["did_not_run", "runs_again"]
    assert alarms() == []


def test_a_pause_of_the_whole_installation_is_told_when_it_is_over(watcher, orders):
    make_overdue(orders)

    fire_due()
    decide_due()

    assert sorted(told(watcher)) == ["did_not_run", "runs_again"]
    assert alarms() == []


def test_what_nobody_catches_up_stays_told_until_a_slot_runs(watcher, orders):
    trigger = make_schedule(orders, missed="skip", cron="0 9 * * *", due=LONG_AGO)
    fire_due()
    decide_due()
    assert told(watcher) == ["did_not_run"]

    Firing.objects.all().delete()
    Trigger.objects.filter(id=trigger.id).update(next_fire_at=database_now())
    fire_due()
    decide_due()

    assert told(watcher) == ["did_not_run", "runs_again"]


@pytest.mark.parametrize(("alert_after", "is_told"), [("30m", True), ("2h", False)])
def test_the_schedule_says_how_late_is_too_late(watcher, orders, alert_after, is_told):
    make_overdue(orders, config={"alert_after": alert_after})

    assert schedule_watch.look() == int(is_told)


def test_a_slot_in_time_is_no_alarm(watcher, orders):
    make_schedule(orders, due=-MINUTE)

    assert schedule_watch.look() == 0
    fire_due()
    assert (decide_due(), alarms()) == (0, [])


def fire_in_vain(trigger, decision, *, slots=3):
    """The newest slot of a schedule and those before it, none of which ran."""
    now = whole_minute()
    for back in range(1, slots):
        Firing.objects.create(trigger=trigger, slot=now - back * MINUTE, decision=decision)
    Trigger.objects.filter(id=trigger.id).update(next_fire_at=now, inputs={"unknown": 1})
    fire_due()


REFUSES = {
    "schema": 1,
    "inputs": {"properties": {"day": {"type": "string"}}, "required": ["day"]},
    "steps": [{"id": "say", "uses": "log", "with": {"message": "x"}}],
}


@pytest.fixture
def choosy(orders):
    """A workflow that refuses what its schedule brings."""
    version = orders.current_version
    type(version).objects.filter(id=version.id).update(definition=REFUSES)
    return orders


@pytest.mark.parametrize("before", [FiringDecision.MISSED, FiringDecision.REFUSED, FiringDecision.FULL])
def test_three_slots_in_vain_are_told(watcher, choosy, before):
    fire_in_vain(make_schedule(choosy), before)
    decide_due()

    assert told(watcher) == ["did_not_run"]
    assert alarms() == [
        ("slots", 'Its last 3 slots did not run. The newest: refused. Input "day" is required. Add it.')
    ]


@pytest.mark.parametrize("before", [FiringDecision.RAN, FiringDecision.OVERLAP, FiringDecision.INACTIVE])
def test_slots_that_were_left_out_on_purpose_are_no_alarm(watcher, choosy, before):
    fire_in_vain(make_schedule(choosy), before)

    assert alarms() == []


def test_two_slots_in_vain_are_no_alarm(watcher, choosy):
    fire_in_vain(make_schedule(choosy), FiringDecision.REFUSED, slots=2)

    assert alarms() == []


def test_a_schedule_that_cannot_go_on_is_told_at_once(watcher, orders):
    make_schedule(orders, timezone="Atlantis/Capital", due=whole_minute())

    fire_due()
    decide_due()

    assert told(watcher) == ["did_not_run"]
    assert alarms() == [("slots", "It cannot go on: No time zone found with key Atlantis/Capital")]


def make_expecting(orders, **values):
    """A schedule whose workflow is to succeed each hour; it was saved three hours ago."""
    trigger = make_schedule(orders, config={"success_within": "1h"}, **values)
    Trigger.objects.filter(id=trigger.id).update(updated_at=Now() - 3 * HOUR)
    Workflow.objects.update(updated_at=Now() - 3 * HOUR)
    return trigger


def test_a_workflow_that_does_not_succeed_in_time_is_told_once_and_once_when_it_does(watcher, orders):
    make_expecting(orders)

    assert [schedule_watch.look(), schedule_watch.look()] == [1, 1]
    decide_due()
    assert told(watcher) == ["did_not_run"]
    assert alarms() == [("success", "No run of the workflow succeeded within 1h.")]

    run_once(orders, OK)
    assert schedule_watch.look() == 0
    decide_due()
    assert told(watcher) == ["did_not_run", "runs_again"]


def test_a_schedule_that_was_just_saved_has_time(watcher, orders):
    make_schedule(orders, config={"success_within": "1h"})

    assert schedule_watch.look() == 0


def test_a_success_that_is_too_old_does_not_count(watcher, orders):
    make_expecting(orders)
    run_once(orders, OK)
    assert schedule_watch.look() == 0

    move_clock(2 * HOUR)

    assert schedule_watch.look() == 1


@pytest.mark.parametrize("change", ["trigger", "workflow"])
def test_what_is_switched_off_is_watched_no_longer(watcher, orders, change):
    make_overdue(orders)
    schedule_watch.look()

    (Trigger if change == "trigger" else Workflow).objects.update(is_active=False)

    assert (schedule_watch.look(), alarms()) == (0, [])
    decide_due()
    assert told(watcher) == ["did_not_run"]


def test_rules_that_do_not_ask_for_it_hear_nothing(rule, orders):
    make_overdue(orders)

    schedule_watch.look()
    decide_due()

    assert told() == []


def test_the_mail_and_the_webhook_say_what_should_have_run_and_why(watcher, orders, settings):
    trigger = make_overdue(orders)
    schedule_watch.look()
    decide_due()
    delivery = NoticeDelivery.objects.get()

    letter = notice_letters.write(delivery.content, workspace="Acme")
    page = f"{settings.BRAINOPS_PUBLIC_URL}/admin/automation/trigger/{trigger.id}/"
    reason = "Nothing started it within 10m: no worker was there, or none came to it."
    assert letter.subject == "[Acme] “Orders” should have run by its schedule and has not"
    assert f"Since: {trigger.next_fire_at:%Y-%m-%d %H:%M:%S} UTC\nSchedule: Nightly" in letter.text
    assert f"> {reason}\n\nOpen the schedule:\n{page}" in letter.text
    body = webhook_body(delivery)
    assert body["type"] == "schedule.did_not_run"
    assert body["data"]["schedule"] == {
        "id": str(trigger.id),
        "name": "Nightly",
        "misses": "slots",
        "reason": reason,
        "url": page,
    }


def test_a_monitor_may_ask_from_elsewhere(orders, capsys):
    call_command("check_schedules")
    assert capsys.readouterr().out == "Every schedule has run as it should.\n"

    trigger = make_overdue(orders)
    with pytest.raises(CommandError, match=r"^1 schedule alarms stand\.$"):
        call_command("check_schedules")

    when = f"{trigger.next_fire_at:%Y-%m-%d %H:%M:%S}"
    reason = "Nothing started it within 10m: no worker was there, or none came to it."
    assert capsys.readouterr().out == f"{when} Nightly of Orders: {reason}\n"
