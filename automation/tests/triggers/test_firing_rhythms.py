"""Firing intervals, single times and delayed slots, and how far back a pause is caught up."""

from datetime import timedelta

import pytest
from django.utils import timezone

from automation.models import Firing, Run, Trigger
from automation.services.schedules import fire_due
from automation.tests.triggers.rows import make_schedule
from automation.triggers.schedule import CLOCK
from automation.triggers.timing import fires_at, slot_of

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def this_hour():
    return timezone.now().replace(minute=0, second=0, microsecond=0)


def ledger():
    return [(row.slot, row.get_decision_display(), row.reason) for row in Firing.objects.order_by("slot")]


def test_an_interval_fires_and_goes_on_from_its_anchor():
    anchor = this_hour() - 5 * HOUR
    trigger = make_schedule(config={"interval": "1h", "anchor": anchor.isoformat()}, due=this_hour())

    assert fire_due() == 1

    trigger.refresh_from_db()
    assert trigger.next_fire_at == this_hour() + HOUR


def test_one_time_fires_once_and_is_over():
    at = this_hour()
    trigger = make_schedule(config={"at": at.isoformat()}, due=at)

    assert [fire_due(), fire_due()] == [1, 0]

    trigger.refresh_from_db()
    assert (trigger.next_fire_at, trigger.last_fired_at, Run.objects.count()) == (None, at, 1)


def test_slots_older_than_the_window_are_not_caught_up_and_the_ledger_says_why():
    first = this_hour() - 4 * HOUR
    make_schedule(cron="0 * * * *", missed="all", config={"missed_within": "2h30m"}, due=first)

    started = fire_due()

    too_old = "It was found more than 2h30m late."
    found = ledger()
    assert found[0] == (first, "missed", too_old)
    assert [reason for _slot, word, reason in found if word == "missed"] == [too_old] * (len(found) - started)
    assert started in (2, 3)  # as the minute of the hour has it


def test_the_newest_slot_is_not_caught_up_when_it_is_too_old_itself():
    yesterday = this_hour() - 24 * HOUR
    make_schedule(config={"at": yesterday.isoformat(), "missed_within": "1h"}, due=yesterday)

    assert fire_due() == 0
    assert ledger() == [(yesterday, "missed", "It was found more than 1h late.")]


def test_a_delayed_slot_stands_in_the_ledger_with_its_own_time():
    trigger = make_schedule(cron="0 * * * *", config={"jitter": "50m"})
    slot = this_hour() - HOUR
    Trigger.objects.update(next_fire_at=fires_at(CLOCK, trigger.config, trigger.id, slot))

    assert fire_due() in (1, 2)

    trigger.refresh_from_db()
    slots = [at for at, _word, _reason in ledger()]
    assert slots[0] == slot
    assert trigger.last_fired_at == slots[-1]
    following = slot_of(CLOCK, trigger.config, trigger.next_fire_at)
    assert following == slots[-1] + HOUR
    assert trigger.next_fire_at == fires_at(CLOCK, trigger.config, trigger.id, following)
    assert fire_due() == 0
