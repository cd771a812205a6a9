"""What still runs after a pause of the installation."""

from datetime import UTC, datetime, timedelta
from functools import partial
from time import perf_counter
from zoneinfo import ZoneInfo

import pytest

from automation.triggers.catch_up import due_slots, still_run
from automation.triggers.contract import Missed
from automation.triggers.cron import next_slot, parse_cron

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def every(text):
    return partial(next_slot, parse_cron(text), ZoneInfo("UTC"))


def ago(**parts):
    return NOON - timedelta(**parts)


def test_a_slot_on_time_is_the_only_one_due():
    assert due_slots(every("0 * * * *"), NOON, NOON) == [NOON]


def test_after_a_pause_every_slot_since_is_due_in_order():
    found = due_slots(every("*/15 * * * *"), ago(minutes=45), NOON + timedelta(minutes=3))

    assert found == [ago(minutes=45), ago(minutes=30), ago(minutes=15), NOON]


def test_only_the_newest_hundred_are_looked_at():
    found = due_slots(every("* * * * *"), ago(days=3), NOON)

    assert found == [ago(minutes=minutes) for minutes in range(99, -1, -1)]


def test_rare_slots_are_all_found_however_long_the_pause():
    found = due_slots(every("0 0 1 1 *"), datetime(2000, 1, 1, tzinfo=UTC), NOON)

    assert found == [datetime(year, 1, 1, tzinfo=UTC) for year in range(2000, 2027)]


def test_a_pause_of_ten_years_of_minutes_is_found_quickly():
    started = perf_counter()
    found = due_slots(every("* * * * *"), ago(days=3650), NOON)

    assert (len(found), found[-1]) == (100, NOON)
    assert perf_counter() - started < 2  # walking each of the 5 million slots would take minutes


@pytest.mark.parametrize(
    ("policy", "runs"),
    [
        (Missed.SKIP, {NOON}),  # found 30 s late: on time; the two before are missed
        (Missed.LAST, {NOON}),
        (Missed.ALL, {ago(hours=2), ago(hours=1), NOON}),
    ],
)
def test_the_policy_says_what_still_runs(policy, runs):
    slots = [ago(hours=2), ago(hours=1), NOON]

    assert still_run(slots, policy, NOON + timedelta(seconds=30)) == runs


def test_skip_runs_nothing_when_even_the_newest_slot_is_long_past():
    assert still_run([ago(hours=1)], Missed.SKIP, NOON) == set()
