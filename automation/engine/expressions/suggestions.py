"""Did you mean: the nearest known name."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice

_LONGEST_NAME = 64
_MOST_NAMES = 200  # comparing names is quadratic in their length: a message may not cost a second


def closest(name: str, known: Iterable[str]) -> str | None:
    """The name in `known` most like `name`, or None when none is near."""
    if len(name) > _LONGEST_NAME:
        return None
    names = [k for k in islice(known, _MOST_NAMES) if len(k) <= _LONGEST_NAME and k.isprintable()]
    folded = {k.lower().replace("-", "_"): k for k in reversed(names)}
    same = folded.get(name.lower().replace("-", "_"))
    if same is not None:
        return same
    matches = get_close_matches(name, names, n=1, cutoff=0.6)
    return matches[0] if matches else next((k for k in names if k.startswith(f"{name}-")), None)
