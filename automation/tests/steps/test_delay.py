"""delay: for a while or until an instant. The clock of these tests stands at 2026-01-01T00:00:00Z."""

import pytest

from automation.engine.kinds import Sleep
from automation.steps import delay
from automation.tests.steps.run_step import run_step


@pytest.mark.parametrize(
    ("config", "seconds"),
    [
        ({"for": "30s"}, 30),
        ({"for": "1h30m"}, 5400),
        ({"for": 90}, 90),
        ({"for": 0.5}, 0.5),
        ({"for": "{{ inputs.minutes }}m"}, 180),
        ({"for": "{{ inputs.minutes * 60 }}"}, 180),
        ({"until": "2026-01-01T00:01:00Z"}, 60),
        ({"until": "2026-01-01T01:01:00+01:00"}, 60),
        ({"until": "2025-12-31T23:59:00-00:30"}, 1740),  # 00:29 UTC
        ({"until": "2020-01-01T00:00:00Z"}, 0),
    ],
)
def test_a_delay_lasts_as_long_as_it_says(config, seconds):
    assert run_step("delay", config, inputs={"minutes": 3}) == Sleep(seconds, {"seconds": seconds})


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            {"for": "{{ 'soon' }}"},
            '"for" must be a duration such as "30s", "5m" or "2d", or a number of seconds, got "soon".',
        ),
        ({"for": "{{ -1 }}"}, '"for" must be a duration such as "30s", "5m" or "2d", or a number of seconds, got -1.'),
        (
            {"until": "{{ 'tomorrow' }}"},
            '"until" must be an instant such as "2026-03-01T09:00:00+01:00", got "tomorrow".',
        ),
        (
            {"until": "{{ '2026-01-01T00:00:00' }}"},
            '"until" must be an instant such as "2026-03-01T09:00:00+01:00", got "2026-01-01T00:00:00".',
        ),
        ({"for": "400d"}, "A delay lasts at most 366 days, got 34560000 seconds. Use a schedule for more."),
        (
            {"until": "2030-01-01T00:00:00Z"},
            "A delay lasts at most 366 days, got 126230400 seconds. Use a schedule for more.",
        ),
    ],
)
def test_what_is_no_delay_is_refused(config, message):
    outcome = run_step("delay", config)

    assert (outcome.error.message, outcome.error.error_class.value) == (message, "user")


def test_an_instant_that_utc_cannot_name_is_refused():
    with pytest.raises(ValueError, match="outside of the years 1 to 9999"):
        delay._instant("0001-01-01T00:00:00+23:59")
