"""From when until when a schedule goes, its extra times, and how often it may fire at all."""

import pytest

from automation.tests.triggers.test_rhythms import times
from automation.triggers.rhythms import words_of
from automation.triggers.schedule import KIND, check


def said(config):
    return [(problem.pointer, problem.message) for problem in check(config)]


def test_nothing_fires_before_the_start_or_after_the_end():
    config = {"cron": "0 9 * * *", "starts_at": "2026-12-01T09:00", "ends_at": "2026-12-03T08:59:59"}

    assert times(config, "2026-11-01T00:00") == ["2026-12-01T09:00:00+01:00", "2026-12-02T09:00:00+01:00"]


@pytest.mark.parametrize("rhythm", [{"cron": "0 9 * * *"}, {"interval": "1d", "anchor": "2026-01-01T09:00"}])
def test_every_rhythm_has_extra_times(rhythm):
    config = {**rhythm, "extra_dates": ["2026-12-01T20:00", "2026-12-02T09:00+01:00"]}

    assert times(config, "2026-12-01T09:00") == [
        "2026-12-01T20:00:00+01:00",
        "2026-12-02T09:00:00+01:00",
        "2026-12-03T09:00:00+01:00",
    ]


def test_a_schedule_that_is_over_can_still_be_renamed():
    assert said({"cron": "0 9 * * *", "ends_at": "2020-01-01T00:00"}) == []


def test_bounds_stand_in_the_words():
    config = {"cron": "0 9 * * *", "starts_at": "2026-12-01T00:00", "extra_dates": ["2026-12-24T12:00"]}

    assert words_of(config) == "At 09:00 every day, from 2026-12-01 00:00, and 1 extra time"


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (
            {"cron": "@daily", "starts_at": "tomorrow"},
            [
                (
                    "/starts_at",
                    '"tomorrow" is no time from 1970 to 2199. Write it like "2026-12-24T18:00" or '
                    '"2026-12-24T18:00:00+01:00".',
                )
            ],
        ),
        (
            {"cron": "@daily", "starts_at": "2026-12-02T00:00", "ends_at": "2026-12-01T00:00"},
            [("/ends_at", "It ends at 2026-12-01T00:00, before it starts.")],
        ),
        (
            {"cron": "@daily", "starts_at": "2026-12-01T01:00", "ends_at": "2026-12-01T02:00"},
            [
                (
                    "/cron",
                    'Cron "@daily" does not fire within the next 50 years in the time in which the schedule goes.',
                )
            ],
        ),
        (
            {"at": "2026-12-24T18:00", "ends_at": "2026-12-25T00:00"},
            [("/ends_at", 'One time has no "ends_at". Leave it out.')],
        ),
        (
            {"cron": "@daily", "extra_dates": ["2026-12-24T18:00"], "skip_dates": ["2026-12-24"]},
            [
                (
                    "/extra_dates/0",
                    '"2026-12-24T18:00" is on a day that is left out. Take it out of one of the lists.',
                )
            ],
        ),
        (
            {"cron": "@daily", "extra_dates": ["2026-12-24T18:00"], "ends_at": "2026-12-24T00:00"},
            [("/extra_dates/0", '"2026-12-24T18:00" lies outside of the time in which the schedule goes.')],
        ),
        (
            {"cron": "@daily", "queue_limit": 3},
            [("/queue_limit", 'Only "overlap": "queue" has a "queue_limit". Leave it out.')],
        ),
    ],
)
def test_what_does_not_go_together_is_refused(config, expected):
    assert said(config) == expected


@pytest.mark.parametrize(
    ("config", "passed"),
    [
        ({"cron": "*/5 * * * *"}, "5m"),
        ({"cron": "0,50 0 1 1 *"}, "50m"),
        ({"interval": "59m"}, "59m"),
        ({"rrule": "FREQ=MINUTELY;INTERVAL=30"}, "30m"),
        ({"rrule": "FREQ=DAILY;BYHOUR=9;BYMINUTE=0,15"}, "15m"),
    ],
)
def test_an_installation_may_set_the_shortest_interval(config, passed, settings):
    assert said(config) == []

    settings.BRAINOPS_MIN_INTERVAL_SECONDS = 3600

    (name,) = config
    message = f"It fires after {passed}, the shortest interval here is 1h. Let it fire less often."
    assert said(config) == [(f"/{name}", message)]


@pytest.mark.parametrize("config", [{"cron": "30 2,3 * * *"}, {"interval": "1h"}, {"at": "2026-12-24T18:00"}])
def test_a_clock_change_brings_nothing_too_near(config, settings):
    settings.BRAINOPS_MIN_INTERVAL_SECONDS = 3600

    assert said({**config, "timezone": "Europe/Berlin"}) == []


def test_each_field_says_what_it_is_for():
    assert all({"title", "description"} <= set(rule) for rule in KIND.config_schema["properties"].values())
