"""Intervals, single times, days off and delays: when they fire, and what is refused."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import DAILY, HOURLY, MINUTELY, SECONDLY, WEEKLY, rrule
from hypothesis import given
from hypothesis import strategies as st

from automation.triggers.rhythms import next_slot_of
from automation.triggers.schedule import CLOCK, KIND, check, complete, upcoming
from automation.triggers.timing import fires_at, first_fire, slot_of

BERLIN = ZoneInfo("Europe/Berlin")
FREQUENCIES = {"s": SECONDLY, "m": MINUTELY, "h": HOURLY, "d": DAILY, "w": WEEKLY}
TRIGGER = UUID(int=7)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def local_times(first, end):
    """Times on a wall clock, from the start of one year to the start of another."""
    return st.integers(0, (end - first) * 365 * 86_400).map(
        lambda seconds: datetime.fromisoformat(f"{first}-01-01") + timedelta(seconds=seconds)
    )


def times(config, start, count=3, zone=BERLIN):
    at, found = datetime.fromisoformat(start).replace(tzinfo=zone), []
    while len(found) < count and (at := next_slot_of(config, zone, at)):
        found.append(at.astimezone(zone).isoformat())
    return found


def said(config):
    return [(problem.pointer, problem.message) for problem in check(config)]


def test_an_interval_begins_with_its_anchor():
    assert times({"interval": "90m", "anchor": "2026-11-23T09:10"}, "2026-11-01T00:00") == [
        "2026-11-23T09:10:00+01:00",
        "2026-11-23T10:40:00+01:00",
        "2026-11-23T12:10:00+01:00",
    ]


def test_an_anchor_with_an_offset_is_that_instant():
    assert times({"interval": "1h", "anchor": "2026-11-23T09:10+00:00"}, "2026-11-23T10:00", 1) == [
        "2026-11-23T10:10:00+01:00"
    ]


def test_weeks_without_an_anchor_begin_on_monday():
    found = times({"interval": "2w"}, "2026-11-23T12:00", 2)

    assert [datetime.fromisoformat(time).isoweekday() for time in found] == [1, 1]
    assert found[0][10:] == found[1][10:] == "T00:00:00+01:00"


def test_one_time_fires_once():
    config = {"at": "2026-12-24T18:00"}

    assert times(config, "2026-11-23T00:00") == ["2026-12-24T18:00:00+01:00"]
    assert times(config, "2026-12-24T18:00") == []


def test_a_schedule_rests_on_its_days_off():
    config = {
        "cron": "0 */12 * * *",
        "skip_dates": ["2026-12-24"],
        "holidays": {"name": "Bavaria", "dates": ["2026-12-25", "2026-12-26"]},
    }

    assert times(config, "2026-12-23T06:00") == [
        "2026-12-23T12:00:00+01:00",
        "2026-12-27T00:00:00+01:00",
        "2026-12-27T12:00:00+01:00",
    ]


def test_a_day_off_is_a_day_on_the_clock_of_the_schedule():
    # midnight of the 25th in Berlin is still the 24th in London
    assert times({"cron": "0 0 * * *", "skip_dates": ["2026-12-24"]}, "2026-12-23T12:00", 1) == [
        "2026-12-25T00:00:00+01:00"
    ]


def test_many_days_off_cost_one_step_each():
    off = [(date(2026, 1, 1) + timedelta(days=day)).isoformat() for day in range(1000)]

    assert times({"interval": "10s", "skip_dates": off}, "2026-01-01T00:00", 1) == ["2028-09-27T00:00:00+02:00"]


@given(
    count=st.integers(1, 400),
    unit=st.sampled_from("smhdw"),
    anchor=local_times(2020, 2026),
    steps=st.integers(0, 300),
    late=st.floats(0, 0.99),
)
def test_an_interval_agrees_with_an_independent_library(count, unit, anchor, steps, late):
    anchor = anchor.replace(microsecond=0)
    rule = rrule(FREQUENCIES[unit], interval=count, dtstart=anchor, count=steps + 2)
    *_, previous, following = rule
    after = previous + (following - previous) * late
    config = {"interval": f"{count}{unit}", "anchor": anchor.isoformat()}

    assert next_slot_of(config, ZoneInfo("UTC"), after.replace(tzinfo=UTC)) == following.replace(tzinfo=UTC)


@given(
    days=st.integers(1, 40),
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia"]),
    anchor=local_times(2010, 2027),
    after=local_times(2010, 2027).map(lambda time: time.replace(tzinfo=UTC)),
)
def test_slots_of_days_only_go_forward_and_lose_no_day(days, zone, anchor, after):
    config, place = {"interval": f"{days}d", "anchor": anchor.isoformat()}, ZoneInfo(zone)
    found = [next_slot_of(config, place, after)]
    for _ in range(3):
        found.append(next_slot_of(config, place, found[-1]))

    assert found[0] > after
    for one, other in pairwise(found):
        assert timedelta(0) < other - one <= timedelta(days=days, hours=2)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, [("", 'A schedule needs exactly one of "cron", "rrule", "interval" and "at".')]),
        (
            {"cron": "@daily", "at": "2026-12-24T18:00"},
            [("", 'A schedule needs exactly one of "cron", "rrule", "interval" and "at", got cron and at.')],
        ),
        ({"interval": "5s"}, [("/interval", "The shortest interval is 10 seconds, got 5s.")]),
        ({"interval": "99999w"}, [("/interval", "The longest interval is 3660 days, got 99999w.")]),
        (
            {"at": "2026-02-30T09:00"},
            [
                (
                    "/at",
                    '"2026-02-30T09:00" is no time from 1970 to 2199. Write it like "2026-12-24T18:00" or '
                    '"2026-12-24T18:00:00+01:00".',
                )
            ],
        ),
        ({"cron": "@daily", "anchor": "2026-01-01T00:00"}, [("/anchor", 'Only an interval and an rrule have an "anchor". Leave it out.')]),
        (
            {"cron": "@daily", "skip_dates": ["2026-12-24", "24.12.2026"]},
            [("/skip_dates/1", '"24.12.2026" is no date. Write it like "2026-12-24".')],
        ),
        ({"cron": "@daily", "jitter": "2h"}, [("/jitter", '"jitter" must be 1s to 1h, got 2h.')]),
        ({"cron": "@daily", "missed_within": "5s"}, [("/missed_within", '"missed_within" must be 1m to 366d, got 5s.')]),
        (
            {"at": "2026-12-24T18:00", "skip_dates": ["2026-12-24"]},
            [
                (
                    "/at",
                    'At "2026-12-24T18:00" does not fire within the next 50 years on a day that is not left out.',
                )
            ],
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_with_its_place(config, expected):
    assert said(config) == expected


def test_a_delay_depends_on_trigger_and_slot_alone_and_ends_before_the_next_slot():
    config = complete({"cron": "* * * * *", "jitter": "1h"})
    slots = [NOON + timedelta(minutes=minute) for minute in range(200)]

    fires = [fires_at(CLOCK, config, TRIGGER, slot) for slot in slots]

    assert fires == [fires_at(CLOCK, config, TRIGGER, slot) for slot in slots]
    assert all(slot <= fire < slot + timedelta(minutes=1) for slot, fire in zip(slots, fires, strict=True))
    assert len({fire - slot for slot, fire in zip(slots, fires, strict=True)}) > 30
    assert [slot_of(CLOCK, config, fire) for fire in fires] == slots


def test_many_triggers_of_the_same_minute_are_spread():
    config = complete({"cron": "@hourly", "jitter": "10m"})

    fires = [first_fire(CLOCK, config, uuid4(), NOON) for _ in range(500)]

    delays = [(fire - NOON - timedelta(hours=1)).total_seconds() / 60 for fire in fires]
    assert all(0 <= delay < 10 for delay in delays)
    assert all(any(minute <= delay < minute + 1 for delay in delays) for minute in range(10))


def test_the_times_that_are_shown_are_those_at_which_it_fires():
    class Row:
        id = TRIGGER
        config = complete({"cron": "@hourly", "jitter": "10m"})

    slots = [NOON + timedelta(hours=hour) for hour in (1, 2)]

    assert upcoming(Row, NOON, count=2) == [fires_at(CLOCK, Row.config, TRIGGER, slot) for slot in slots]


def test_an_interval_is_stored_with_its_anchor():
    assert KIND.complete({"interval": "2d"}) == {
        "interval": "2d",
        "anchor": "2001-01-01T00:00:00",
        "timezone": "UTC",
        "missed": "last",
    }
