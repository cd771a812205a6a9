"""Durations as documents write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.engine.durations import DurationError, duration_text, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("5m", 300),
        ("2h", 7200),
        ("1d", 86_400),
        ("1w", 604_800),
        ("250ms", 0.25),
        ("1.5s", 1.5),
        ("1h30m", 5400),  # 3600 + 30 * 60
        ("1m30s500ms", 90.5),
        ("0s", 0),
    ],
)
def test_a_duration_is_the_sum_of_its_parts(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "30", "s", "30 s", "-5s", "1e3s", "30sec", "٣s", "30s\n", "1.s", "PT30S", "9999999999s"]
)
def test_what_is_no_duration_is_refused_with_the_way_out(text):
    with pytest.raises(DurationError, match=r'is no duration\. Write a number and a unit: "30s"'):
        parse_duration(text)


@given(st.integers(0, 10**11))
def test_a_written_duration_reads_as_itself(milliseconds):
    assert parse_duration(duration_text(milliseconds / 1000)) == milliseconds / 1000


@pytest.mark.parametrize(("seconds", "text"), [(5400, "1h30m"), (0, "0s"), (0.25, "250ms"), (90_061, "1d1h1m1s")])
def test_a_duration_is_written_with_the_largest_units_first(seconds, text):
    assert duration_text(seconds) == text
