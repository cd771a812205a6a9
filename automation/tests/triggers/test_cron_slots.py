"""When a cron expression fires, above all where clocks change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from automation.triggers.cron import CronError, next_slot, parse_cron


def slots(text, zone, start, count=6):
    """The next fire times as wall-clock ISO texts."""
    cron, place, found = parse_cron(text), ZoneInfo(zone), []
    at = datetime.fromisoformat(start).replace(tzinfo=place)
    for _ in range(count):
        at = next_slot(cron, place, at)
        found.append(at.astimezone(place).isoformat())
    return found


def test_a_time_that_does_not_exist_fires_at_the_first_valid_instant():
    # Berlin, 29 March 2026: 02:00 becomes 03:00
    assert slots("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00", 3) == [
        "2026-03-28T02:30:00+01:00",
        "2026-03-29T03:00:00+02:00",
        "2026-03-30T02:30:00+02:00",
    ]


def test_several_times_in_one_gap_fire_once():
    assert slots("0,20,40 2 * * *", "Europe/Berlin", "2026-03-28T02:30", 3) == [
        "2026-03-28T02:40:00+01:00",
        "2026-03-29T03:00:00+02:00",
        "2026-03-30T02:00:00+02:00",
    ]


def test_a_time_in_the_gap_and_one_at_its_end_fire_once():
    assert slots("0 2,3 * * *", "Europe/Berlin", "2026-03-28T12:00", 2) == [
        "2026-03-29T03:00:00+02:00",
        "2026-03-30T02:00:00+02:00",
    ]


def test_a_time_that_happens_twice_fires_the_first_time_only():
    # Berlin, 25 October 2026: 03:00 becomes 02:00
    assert slots("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", 2) == [
        "2026-10-25T02:30:00+02:00",
        "2026-10-26T02:30:00+01:00",
    ]


def test_a_start_within_the_repeated_hour_never_goes_back():
    cron, berlin = parse_cron("30 2 * * *"), ZoneInfo("Europe/Berlin")
    second_time_0210 = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)

    assert next_slot(cron, berlin, second_time_0210) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


def test_an_interval_keeps_its_pace_through_a_repeated_hour():
    assert slots("*/30 * * * *", "Europe/Berlin", "2026-10-25T01:45", 6) == [
        "2026-10-25T02:00:00+02:00",
        "2026-10-25T02:30:00+02:00",
        "2026-10-25T02:00:00+01:00",
        "2026-10-25T02:30:00+01:00",
        "2026-10-25T03:00:00+01:00",
        "2026-10-25T03:30:00+01:00",
    ]


def test_an_interval_keeps_its_pace_through_a_gap():
    assert slots("*/30 * * * *", "Europe/Berlin", "2026-03-29T01:15", 3) == [
        "2026-03-29T01:30:00+01:00",
        "2026-03-29T03:00:00+02:00",
        "2026-03-29T03:30:00+02:00",
    ]


def test_a_change_of_half_an_hour_loses_no_slot():
    # Lord Howe, 4 October 2026: 02:00 becomes 02:30
    assert slots("0 */8 * * *", "Australia/Lord_Howe", "2026-10-03T12:00", 4) == [
        "2026-10-03T16:00:00+10:30",
        "2026-10-04T00:00:00+10:30",
        "2026-10-04T08:00:00+11:00",
        "2026-10-04T16:00:00+11:00",
    ]


def test_a_gap_at_midnight_fires_at_its_end():
    # Santiago, 6 September 2026: 00:00 becomes 01:00
    assert slots("0 0 * * *", "America/Santiago", "2026-09-05T12:00", 2) == [
        "2026-09-06T01:00:00-03:00",
        "2026-09-07T00:00:00-03:00",
    ]


def test_a_day_that_never_was_fires_at_the_start_of_the_next():
    # Apia crossed the date line: 30 December 2011 does not exist there
    assert slots("0 12 30 12 *", "Pacific/Apia", "2011-12-01T00:00", 1) == ["2011-12-31T00:00:00+14:00"]


def test_clocks_that_go_back_over_midnight_keep_the_order():
    # St. John's, 7 November 2010: 00:01 became 23:01 of the day before
    assert slots("0,30 * * * *", "America/St_Johns", "2010-11-06T23:10", 4) == [
        "2010-11-06T23:30:00-02:30",
        "2010-11-07T00:00:00-02:30",
        "2010-11-06T23:30:00-03:30",
        "2010-11-07T00:00:00-03:30",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 0 29 2 *", ["2028-02-29", "2032-02-29", "2036-02-29"]),
        ("0 0 29 2 */7", ["2032-02-29", "2060-02-29"]),  # 29 February on a Sunday
        ("0 0 L * *", ["2026-11-30", "2026-12-31", "2027-01-31", "2027-02-28"]),
        ("0 0 LW * *", ["2026-11-30", "2026-12-31", "2027-01-29", "2027-02-26"]),
        ("0 0 * * 5L", ["2026-11-27", "2026-12-25", "2027-01-29"]),
        ("0 0 * * 5#3", ["2026-12-18", "2027-01-15", "2027-02-19"]),
        ("0 0 13 * 5", ["2026-11-27", "2026-12-04", "2026-12-11", "2026-12-13"]),  # either day
        ("0 0 */10 * 1", ["2026-12-21", "2027-01-11", "2027-02-01"]),  # a star: both days
    ],
)
def test_days_are_found_through_months_and_years(text, expected):
    found = slots(text, "UTC", "2026-11-22T12:00", len(expected))

    assert [slot[:10] for slot in found] == expected


def test_there_is_no_slot_after_the_calendar_ends():
    assert next_slot(parse_cron("0 0 29 2 *"), ZoneInfo("UTC"), datetime(9998, 3, 1, tzinfo=UTC)) is None


FIELDS = st.tuples(
    st.sampled_from(["*", "*/7", "0", "30", "5,50", "10-20/5", "59"]),
    st.sampled_from(["*", "*/6", "0", "2", "3", "1-4", "23", "0,12"]),
    st.sampled_from(["*", "1", "*/9", "15-20", "31", "L"]),
    st.sampled_from(["*", "1", "3", "10", "2,11"]),
    st.sampled_from(["*", "1", "0,6", "MON-FRI", "5#1", "2L"]),
)
STARTS = st.integers(min_value=0, max_value=6 * 366 * 86_400).map(
    lambda seconds: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


@given(fields=FIELDS, start=STARTS)
@settings(max_examples=300, deadline=None)
def test_without_clock_changes_an_independent_library_finds_the_same_slots(fields, start):
    text, at = " ".join(fields), start
    if "31 2,11" in text or "31 2 " in text:
        return  # refused as impossible

    oracle = CronSim(text, at)
    for _ in range(4):
        at = next_slot(parse_cron(text), ZoneInfo("UTC"), at)
        assert at == next(oracle)


CHANGES = [datetime(2026, *day, tzinfo=UTC) for day in [(3, 28), (10, 24), (3, 7), (10, 31)]]  # the days before


@given(
    fields=FIELDS,
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata"]),
    change=st.sampled_from(CHANGES),
    minutes=st.integers(0, 2 * 1440),
)
@settings(max_examples=300, deadline=None)
def test_across_clock_changes_an_independent_library_finds_the_same_slots(fields, zone, change, minutes):
    """cronsim follows Debian's cron as we do. Left out are zones that change by half an hour, where it loses slots."""
    text, place = " ".join(fields), ZoneInfo(zone)
    if "31 2,11" in text or "31 2 " in text:
        return  # refused as impossible
    at = change + timedelta(minutes=minutes)

    oracle = CronSim(text, at.astimezone(place))
    for _ in range(4):
        at = next_slot(parse_cron(text), place, at)
        assert at == next(oracle).astimezone(UTC)


@given(
    minute=st.sampled_from(["*", "*/7", "*/20"]),
    hour=st.sampled_from(["*", "1-3", "*/2", "0,2"]),
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago"]),
    start=STARTS,
)
@settings(max_examples=60, deadline=None)
def test_an_interval_fires_at_every_real_minute_that_matches(minute, hour, zone, start):
    cron, place = parse_cron(f"{minute} {hour} * * *"), ZoneInfo(zone)
    at = start.replace(second=0)

    walked = at + timedelta(minutes=1)
    while (local := walked.astimezone(place)).hour * 60 + local.minute not in cron.times:
        walked += timedelta(minutes=1)

    assert next_slot(cron, place, at) == walked


@given(text=st.text(max_size=30))
@settings(max_examples=300, deadline=None)
def test_any_text_is_either_understood_or_refused(text):
    try:
        cron = parse_cron(text)
    except CronError:
        return
    assert next_slot(cron, ZoneInfo("UTC"), datetime(2026, 1, 1, tzinfo=UTC)) is not None
