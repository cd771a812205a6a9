"""Version numbers: what comes next."""

from __future__ import annotations

import pytest

from automation.services.version_numbers import Bump, next_number


@pytest.mark.parametrize(
    ("current", "bump", "expected"),
    [
        ("1.0.0", Bump.PATCH, "1.0.1"),
        ("1.0.9", Bump.PATCH, "1.0.10"),  # numbers, not digits
        ("1.4.2", Bump.MINOR, "1.5.0"),
        ("1.4.2", Bump.MAJOR, "2.0.0"),
        ("0.0.0", Bump.PATCH, "0.0.1"),
    ],
)
def test_the_next_number_raises_one_part_and_resets_those_behind_it(current: str, bump: Bump, expected: str):
    assert next_number(current, bump) == expected


@pytest.mark.parametrize("text", ["", "1", "1.0", "1.0.0.0", "v1.0.0", "01.0.0", "1.0.0-rc1", "١.٠.٠", "1.0.-1"])
def test_what_is_no_number_has_no_next_one(text: str):
    with pytest.raises(ValueError, match="is not a version number"):
        next_number(text)
