"""How pages write durations, instants and numbers."""

from datetime import UTC, datetime, timedelta

import pytest

from automation.looks.wording import ago, grouped, lasted, percent

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (0, "<1 ms"),
        (-0.2, "<1 ms"),  # clocks of two machines
        (0.0014, "1 ms"),
        (0.85, "850 ms"),
        (0.9996, "1.0 s"),
        (12.44, "12.4 s"),
        (59.96, "1 m 00 s"),
        (185, "3 m 05 s"),
        (7500, "2 h 05 m"),
        (273_600, "3 d 4 h"),  # 3 * 86 400 + 4 * 3 600
    ],
)
def test_a_duration_is_written_in_its_two_largest_units(seconds, text):
    assert lasted(seconds) == text


@pytest.mark.parametrize(
    ("distance", "text"),
    [
        (timedelta(seconds=3), "now"),
        (timedelta(seconds=42), "42 s ago"),
        (timedelta(minutes=59, seconds=59), "59 min ago"),
        (timedelta(hours=5), "5 h ago"),
        (timedelta(days=9), "9 d ago"),
        (timedelta(minutes=-5), "in 5 min"),
    ],
)
def test_an_instant_is_written_relative_to_now(distance, text):
    assert ago(NOON - distance, now=NOON) == text


@pytest.mark.parametrize(
    ("share", "text"), [(None, "–"), (1, "100 %"), (0.9999, "99.9 %"), (0.925, "92.5 %"), (0, "0.0 %")]
)
def test_a_share_is_never_rounded_up_to_all(share, text):
    assert percent(share) == text


def test_large_numbers_are_grouped():
    assert [grouped(9999), grouped(1_234_567)] == ["9999", "1\u2009234\u2009567"]
