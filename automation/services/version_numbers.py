"""Semantic version strings of workflows: 1.0.0, then patch, minor or major steps (semver.org 2.0.0, rules 6-8)."""

from __future__ import annotations

import re
from enum import StrEnum

FIRST = "1.0.0"
NUMBER_PATTERN = r"^(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})$"

_NUMBER = re.compile(NUMBER_PATTERN, re.ASCII)


class Bump(StrEnum):
    """Which part of the number the next version raises."""

    PATCH = "patch"
    MINOR = "minor"
    MAJOR = "major"


def is_number(text: str) -> bool:
    """True for a version number such as 1.4.2."""
    return _NUMBER.fullmatch(text) is not None


def next_number(current: str, bump: Bump = Bump.PATCH) -> str:
    """The number after `current`. Raises ValueError when `current` is no version number."""
    found = _NUMBER.fullmatch(current)
    if found is None:
        raise ValueError(f"{current!r} is not a version number such as 1.4.2.")
    major, minor, patch = map(int, found.groups())
    if bump is Bump.MAJOR:
        return f"{major + 1}.0.0"
    if bump is Bump.MINOR:
        return f"{major}.{minor + 1}.0"
    return f"{major}.{minor}.{patch + 1}"
