"""What the end of a run says, by what was before it."""

from datetime import UTC, datetime, time, timedelta

import pytest

from automation.engine.notices import (
    ABOUT_RUNS,
    End,
    Said,
    Standing,
    Wishes,
    delay_seconds,
    follow,
    quiet_ends_at,
)
from automation.engine.status import RunStatus

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ALL = Wishes(frozenset(ABOUT_RUNS), repeat_seconds=3600, slow_seconds=60)
OK, BAD, LATE, GONE = RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.TIMED_OUT, RunStatus.CANCELLED


def told(*ends, wishes=ALL, muted=()):
    """What a row of `(minute, status)` or `(minute, status, seconds)` says, in order; None where it says nothing."""
    standing, words = Standing(), []
    for index, (minute, status, *seconds) in enumerate(ends):
        end = End(status, NOON + timedelta(minutes=minute), *seconds)
        standing, said = follow(standing, end, wishes, is_muted=index in muted)
        words.append((said.event, said.count) if said else None)
    return words


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ([(0, OK)], [None]),
        ([(0, BAD)], [("first_failure", 1)]),
        ([(0, LATE)], [("first_failure", 1)]),
        ([(0, GONE)], [None]),
        # within the hour nothing more; then one word for the three since
        ([(0, BAD), (1, BAD), (30, BAD), (60, BAD)], [("first_failure", 1), None, None, ("still_failing", 3)]),
        # a cancelled run neither fails nor recovers
        ([(0, BAD), (1, GONE), (2, OK)], [("first_failure", 1), None, ("recovered", 1)]),
        # recovered tells all failures since the first
        ([(0, BAD), (1, BAD), (2, OK), (3, OK)], [("first_failure", 1), None, ("recovered", 2), None]),
        # a new failure after that is a first one again, whenever it comes
        ([(0, BAD), (1, OK), (2, BAD)], [("first_failure", 1), ("recovered", 1), ("first_failure", 1)]),
        ([(0, OK, 61.0), (1, OK, 61.0), (61, OK, 61.0)], [("run_slow", 1), None, ("run_slow", 2)]),
        ([(0, OK, 60.0), (1, OK, None)], [None, None]),
        # the end of a failing time says recovered, not slow as well
        ([(0, BAD), (1, OK, 90.0)], [("first_failure", 1), ("recovered", 1)]),
    ],
)
def test_each_end_says_at_most_one_thing(ends, expected):
    assert told(*ends) == expected


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ({"timed_out"}, [None, ("timed_out", 2), None]),
        ({"recovered"}, [None, None, ("recovered", 2)]),
        ({"first_failure"}, [("first_failure", 1), None, None]),
        ({"still_failing"}, [None, ("still_failing", 2), None]),
        ({"still_failing", "timed_out"}, [None, ("still_failing", 2), None]),
        (set(), [None, None, None]),
    ],
)
def test_a_rule_hears_only_what_it_asked_for(events, expected):
    assert told((0, BAD), (1, LATE), (2, OK), wishes=Wishes(frozenset(events))) == expected


def test_while_muted_the_state_moves_and_what_was_not_said_is_counted_later():
    said = told((0, BAD), (1, BAD), (2, BAD), (3, OK), muted={0, 1})

    assert said == [None, None, ("still_failing", 3), ("recovered", 3)]


def test_a_thousand_failures_within_an_hour_are_one_notice():
    said = [word for word in told(*((minute / 60, BAD) for minute in range(1000))) if word]

    assert said == [("first_failure", 1)]


def test_a_notice_knows_since_when_it_is_so():
    failing, _ = follow(Standing(), End(BAD, NOON), ALL)

    _, said = follow(failing, End(OK, NOON + timedelta(hours=1)), ALL)

    assert said == Said("recovered", 1, NOON)


@pytest.mark.parametrize(
    ("begins", "ends", "now", "expected"),
    [
        (time(22), time(6), "23:30", "2026-11-24 06:00"),
        (time(22), time(6), "05:59", "2026-11-23 06:00"),
        (time(22), time(6), "06:00", None),
        (time(22), time(6), "12:00", None),
        (time(12), time(13), "12:30", "2026-11-23 13:00"),
        (time(12), time(13), "13:00", None),
        (time(12), time(12), "12:00", None),
    ],
)
def test_quiet_hours_end_at_their_next_end(begins, ends, now, expected):
    instant = datetime.combine(NOON.date(), time.fromisoformat(now), tzinfo=UTC)

    until = quiet_ends_at(instant, begins, ends)

    assert (until and f"{until:%Y-%m-%d %H:%M}") == expected


@pytest.mark.parametrize(
    ("attempt", "ceiling"),
    [
        (1, 15),
        (3, 60),  # 15 * 2**2
        (9, 3600),  # 15 * 2**8 = 3840, capped
        (1000, 3600),
    ],
)
def test_the_pause_grows_with_full_jitter_and_is_capped(attempt, ceiling):
    pauses = [delay_seconds(attempt, seed=seed) for seed in range(200)]

    assert 0 <= min(pauses) < ceiling * 0.1
    assert ceiling * 0.9 < max(pauses) <= ceiling


@pytest.mark.parametrize(("asked", "least"), [(120.0, 120.0), (10.0**9, 86_400.0)])
def test_a_receiver_that_asks_for_time_gets_it_up_to_a_day(asked, least):
    assert delay_seconds(1, retry_after_seconds=asked, seed=1) == least
