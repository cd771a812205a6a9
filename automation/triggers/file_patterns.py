"""Which files of a folder are meant: patterns as shells know them, over names and paths."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

DEEP = "**"
MOST_DEEP = 3  # of them in one pattern: each one multiplies the ways to look
# What is still on its way, or nobody means.
USUALLY_LEFT_OUT = (".*", "*.tmp", "*.part", "*.filepart", "*.crdownload", "~*")


def is_wanted(path: str, include: Iterable[str], exclude: Iterable[str]) -> bool:
    """True when a path fits one of `include` and none of `exclude`."""
    return any(fits(path, pattern) for pattern in include) and not any(fits(path, pattern) for pattern in exclude)


def fits(path: str, pattern: str) -> bool:
    """True when a pattern fits: without a slash it is over the name, else over the whole path.

    `*` and `?` stop at slashes, `**` stands for any number of folders. Upper and lower case differ.
    """
    if "/" not in pattern:
        return fnmatchcase(path.rpartition("/")[2], pattern)
    return _fit(path.split("/"), pattern.strip("/").split("/"))


def _fit(parts: Sequence[str], patterns: Sequence[str]) -> bool:
    if not patterns:
        return not parts
    if patterns[0] == DEEP:
        return any(_fit(parts[start:], patterns[1:]) for start in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], patterns[0]) and _fit(parts[1:], patterns[1:])
