"""Recurrence rules: what fires when, what is refused where, and agreement with python-dateutil."""

from datetime import UTC, datetime
from time import monotonic
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from automation.triggers.rhythms import next_slot_of, words_of
from automation.triggers.rrule import RRuleError, next_occurrence, parse_rrule, read_rrule
from automation.triggers.schedule import check

ANCHOR = "2026-11-23T09:10"  # a Monday


def times(rule, start="2026-11-01T00:00", count=3, zone="UTC", anchor=ANCHOR, **config):
    place = ZoneInfo(zone)
    at, found = datetime.fromisoformat(start).replace(tzinfo=place), []
    while len(found) < count and (at := next_slot_of({"rrule": rule, "anchor": anchor, **config}, place, at)):
        found.append(at.astimezone(place).strftime("%Y-%m-%d %H:%M"))
    return found


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=DAILY", ["2026-11-23 09:10", "2026-11-24 09:10", "2026-11-25 09:10"]),
        ("RRULE:FREQ=WEEKLY;BYDAY=WE,MO", ["2026-11-23 09:10", "2026-11-25 09:10", "2026-11-30 09:10"]),
        ("FREQ=WEEKLY;INTERVAL=2", ["2026-11-23 09:10", "2026-12-07 09:10", "2026-12-21 09:10"]),
        # the week of the anchor begins on Sunday the 22nd or on Monday the 23rd
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=SU;WKST=SU", ["2026-12-06 09:10", "2026-12-20 09:10", "2027-01-03 09:10"]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=SU;WKST=MO", ["2026-11-29 09:10", "2026-12-13 09:10", "2026-12-27 09:10"]),
        ("FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17;BYMINUTE=0", ["2026-11-27 17:00", "2026-12-25 17:00", "2027-01-29 17:00"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", ["2026-11-30 09:10", "2026-12-31 09:10", "2027-01-31 09:10"]),
        # months without a 31st are left out, not moved
        ("FREQ=MONTHLY;BYMONTHDAY=31", ["2026-12-31 09:10", "2027-01-31 09:10", "2027-03-31 09:10"]),
        # the last working day of a month
        (
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
            ["2026-11-30 09:10", "2026-12-31 09:10", "2027-01-29 09:10"],
        ),
        ("FREQ=YEARLY", ["2026-11-23 09:10", "2027-11-23 09:10", "2028-11-23 09:10"]),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", ["2028-02-29 09:10", "2032-02-29 09:10", "2036-02-29 09:10"]),
        ("FREQ=YEARLY;BYDAY=20MO", ["2027-05-17 09:10", "2028-05-15 09:10", "2029-05-14 09:10"]),
        # Friday the 13th
        ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", ["2027-08-13 09:10", "2028-10-13 09:10", "2029-04-13 09:10"]),
        ("FREQ=HOURLY;INTERVAL=5", ["2026-11-23 09:10", "2026-11-23 14:10", "2026-11-23 19:10"]),
        ("FREQ=MINUTELY;INTERVAL=90;BYHOUR=9,12", ["2026-11-23 09:10", "2026-11-23 12:10", "2026-11-24 09:10"]),
    ],
)
def test_a_rule_fires_from_its_anchor_on(rule, expected):
    assert times(rule) == expected


def test_count_and_until_end_a_rule():
    assert times("FREQ=DAILY;COUNT=2", count=5) == ["2026-11-23 09:10", "2026-11-24 09:10"]
    assert times("FREQ=DAILY;UNTIL=20261124", count=5) == ["2026-11-23 09:10", "2026-11-24 09:10"]
    assert times("FREQ=DAILY;UNTIL=20261124T0910 00".replace(" ", ""), count=5)[-1] == "2026-11-24 09:10"
    assert times("FREQ=DAILY;UNTIL=20261124T081000Z", count=5, zone="Europe/Berlin")[-1] == "2026-11-24 09:10"
    assert times("FREQ=DAILY;UNTIL=20261124T080959Z", count=5, zone="Europe/Berlin")[-1] == "2026-11-23 09:10"


def test_count_counts_what_a_date_leaves_out():
    found = times("FREQ=DAILY;COUNT=3", count=5, skip_dates=["2026-11-24"])

    assert found == ["2026-11-23 09:10", "2026-11-25 09:10"]


def test_extra_times_fire_besides_and_bounds_hold():
    config = {"extra_dates": ["2026-11-24T20:00", "2026-11-30T09:10"], "ends_at": "2026-12-07T09:10"}

    found = times("FREQ=WEEKLY", count=9, starts_at="2026-11-24T00:00", **config)

    assert found == ["2026-11-24 20:00", "2026-11-30 09:10", "2026-12-07 09:10"]


def test_days_keep_the_wall_clock_and_hours_the_real_time():
    daily = times("FREQ=DAILY;BYHOUR=2;BYMINUTE=30", "2027-03-27T00:00", 3, "Europe/Berlin")
    hourly = times("FREQ=HOURLY;BYMINUTE=0", "2026-10-25T01:30", 3, "Europe/Berlin", anchor="2026-01-01T00:00")

    assert daily == ["2027-03-27 02:30", "2027-03-28 03:00", "2027-03-29 02:30"]
    assert hourly == ["2026-10-25 02:00", "2026-10-25 02:00", "2026-10-25 03:00"]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("", 'RRULE "" at position 0: a part is NAME=VALUE, such as FREQ=DAILY, got "".'),
        (
            "INTERVAL=2",
            'RRULE "INTERVAL=2" at position 0: FREQ is required: one of YEARLY, MONTHLY, WEEKLY, DAILY, HOURLY, MINUTELY.',
        ),
        (
            "FREQ=SECONDLY",
            'RRULE "FREQ=SECONDLY" at position 5: FREQ=SECONDLY is not known: the shortest interval is one minute.',
        ),
        (
            "FREQ=OFTEN",
            'RRULE "FREQ=OFTEN" at position 5: FREQ must be one of YEARLY, MONTHLY, WEEKLY, DAILY, HOURLY, MINUTELY, '
            "got OFTEN.",
        ),
        (
            "FREQ=WEEKLY;BYDAY=MO,XX",
            'RRULE "FREQ=WEEKLY;BYDAY=MO,XX" at position 21: BYDAY must be MO, TU, WE, TH, FR, SA or SU, got "XX".',
        ),
        (
            "FREQ=WEEKLY;BYDAY=2MO",
            'RRULE "FREQ=WEEKLY;BYDAY=2MO" at position 18: 2MO counts the weekdays of a month or year: it needs '
            "FREQ=MONTHLY or YEARLY.",
        ),
        (
            "FREQ=MONTHLY;BYDAY=6MO",
            'RRULE "FREQ=MONTHLY;BYDAY=6MO" at position 19: BYDAY must count from 1 to 5 or from -5 to -1, got 6MO.',
        ),
        (
            "FREQ=DAILY;BYHOUR=24",
            'RRULE "FREQ=DAILY;BYHOUR=24" at position 18: BYHOUR must be 0–23, got 24.',
        ),
        (
            "FREQ=DAILY;BYSECOND=30",
            'RRULE "FREQ=DAILY;BYSECOND=30" at position 11: BYSECOND is not used here: one minute is the shortest '
            "interval.",
        ),
        (
            "FREQ=DAILY;BYHUOR=3",
            'RRULE "FREQ=DAILY;BYHUOR=3" at position 11: there is no part "BYHUOR". Did you mean "BYHOUR"?',
        ),
        (
            "FREQ=DAILY;COUNT=3;UNTIL=20270101",
            'RRULE "FREQ=DAILY;COUNT=3;UNTIL=20270101" at position 19: COUNT and UNTIL exclude each other. Leave one out.',
        ),
        ("FREQ=DAILY;FREQ=DAILY", 'RRULE "FREQ=DAILY;FREQ=DAILY" at position 11: FREQ stands there twice.'),
        (
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
            'RRULE "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30" at position 33: day of month 30 never comes in Feb.',
        ),
        (
            "FREQ=DAILY;UNTIL=20260230",
            'RRULE "FREQ=DAILY;UNTIL=20260230" at position 17: UNTIL must be like 20261231, 20261231T180000 or '
            "20261231T170000Z, got 20260230.",
        ),
        (
            "DTSTART:20261123T091000\nRRULE:FREQ=DAILY",
            'RRULE "DTSTART:20261123T091000\\nRRULE:FREQ=DAILY" at position 0: DTSTART is not used here: it is the '
            '"anchor" of the schedule.',
        ),
    ],
)
def test_a_refusal_names_the_place(rule, message):
    with pytest.raises(RRuleError) as refused:
        parse_rrule(rule)

    assert str(refused.value) == message


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=MINUTELY;BYMONTH=4;BYMONTHDAY=31",
        "FREQ=DAILY;INTERVAL=7;BYDAY=TU",  # the anchor is a Monday
        "FREQ=HOURLY;INTERVAL=24;BYHOUR=3",
        "FREQ=YEARLY;BYMONTH=2,4,6;BYMONTHDAY=31",
        "FREQ=MONTHLY;BYDAY=MO;BYMONTHDAY=1,2;BYSETPOS=3",
        "FREQ=YEARLY;INTERVAL=100000;BYMONTH=1",
    ],
)
def test_a_rule_that_never_fires_is_found_out_soon(rule):
    began = monotonic()

    (problem,) = check({"rrule": rule, "anchor": ANCHOR})

    assert problem.code in ("never_fires", "invalid_rrule")
    assert monotonic() - began < 30  # a search without a horizon takes hours


def test_a_rule_that_names_every_minute_of_a_year_is_not_built():
    hours, minutes = ",".join(map(str, range(24))), ",".join(map(str, range(60)))
    days = "FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU"

    every = times(f"{days};BYHOUR={hours};BYMINUTE={minutes}", count=2)
    last = times(f"{days};BYHOUR={hours};BYMINUTE={minutes};BYSETPOS=-1", count=2)

    assert every == ["2026-11-23 09:10", "2026-11-23 09:11"]
    assert last == ["2026-12-31 23:59", "2027-12-31 23:59"]


def test_count_needs_an_anchor():
    (problem,) = check({"rrule": "FREQ=DAILY;COUNT=3"})

    assert (problem.pointer, problem.code) == ("/anchor", "required")


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("FREQ=DAILY", "Every day at 09:10"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;COUNT=10", "Every 2 weeks on Monday and Wednesday at 09:10, 10 times"),
        ("FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=9,17;BYMINUTE=0", "Every month on the last Friday at 09:00 and 17:00"),
        ("FREQ=MONTHLY;BYMONTHDAY=1,15,-1", "Every month on the 1st, 15th and last day of the month at 09:10"),
        (
            "FREQ=MONTHLY;BYDAY=MO,FR;BYSETPOS=-2",
            "Every month on Monday and Friday at 09:10, the 2nd last of these in each month",
        ),
        ("FREQ=YEARLY", "Every year on the 23rd day of the month in November at 09:10"),
        ("FREQ=HOURLY;INTERVAL=2;BYMINUTE=0,30", "Every 2 hours at minute 0 and 30"),
        ("FREQ=MINUTELY;INTERVAL=15;BYHOUR=9,10", "Every 15 minutes of the hours 9 and 10"),
        ("FREQ=DAILY;UNTIL=20261231T170000Z", "Every day at 09:10, until 2026-12-31 17:00 UTC"),
    ],
)
def test_a_rule_in_words(rule, words):
    assert words_of({"rrule": rule, "anchor": ANCHOR}) == words


FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY")
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def some(values, most):
    return st.lists(st.sampled_from(values), min_size=1, max_size=most, unique=True).map(
        lambda chosen: ",".join(map(str, chosen))
    )


@st.composite
def rules(draw):
    """Rules that python-dateutil reads as RFC 5545 does.

    Left out: plain and counted weekdays side by side (it takes both for a condition, RFC 5545 either), and BYSETPOS with
    weeks and hours (its first period begins with the anchor, so it counts other days there).
    """
    frequency = draw(st.sampled_from(FREQUENCIES))
    parts = [f"FREQ={frequency}", f"INTERVAL={draw(st.integers(1, 5))}"]
    if draw(st.booleans()):
        parts.append(f"BYMONTH={draw(some(range(1, 13), 6))}")
    if frequency != "WEEKLY" and draw(st.booleans()):
        parts.append(f"BYMONTHDAY={draw(some([*range(1, 29), *range(-28, 0)], 5))}")
    if draw(st.booleans()):
        counted = frequency in ("YEARLY", "MONTHLY") and draw(st.booleans())
        names = [f"{nth}{day}" for nth in (1, 2, 4, -1, -2) for day in DAYS] if counted else DAYS
        parts.append(f"BYDAY={draw(some(names, 4))}")
    if draw(st.booleans()):
        parts.append(f"BYHOUR={draw(some(range(24), 4))}")
    if draw(st.booleans()):
        parts.append(f"BYMINUTE={draw(some(range(60), 4))}")
    if len(parts) > 2 and frequency in ("YEARLY", "MONTHLY", "DAILY") and draw(st.booleans()):
        parts.append(f"BYSETPOS={draw(some([1, 2, 3, -1, -2], 2))}")
    parts.append(f"WKST={draw(st.sampled_from(DAYS))}")
    return ";".join(parts)


@settings(deadline=None)
@given(rules(), st.integers(0, 3 * 365 * 1440), st.integers(0, 400 * 1440))
def test_a_rule_fires_when_dateutil_says(rule, anchored, passed):
    anchor = datetime.fromtimestamp(1_700_000_000 // 60 * 60 + anchored * 60, UTC).replace(tzinfo=None)
    start = datetime.fromtimestamp(anchor.replace(tzinfo=UTC).timestamp() + passed * 60, UTC)
    recurrence, at, found = read_rrule(rule, anchor.isoformat(), ZoneInfo("UTC")), start, []

    for _ in range(5):
        at = next_occurrence(recurrence, ZoneInfo("UTC"), at)
        if at is None or at.year > start.year + 2:
            break
        found.append(at.replace(tzinfo=None))

    assert found == by_dateutil(rule, anchor, start.replace(tzinfo=None))


def by_dateutil(rule, anchor, start):
    """Its next five slots within two years: without an end it goes on to the year 9999 where nothing matches."""
    try:
        theirs = rrulestr(f"{rule};UNTIL={start.year + 2}1231T235900", dtstart=anchor)
    except ValueError:  # it finds out by itself that hours and interval never meet
        return []
    return [slot for slot, _ in zip(theirs.xafter(start), range(5), strict=False)]
