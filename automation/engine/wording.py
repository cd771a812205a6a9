"""How messages show values and suggest what was meant."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from difflib import get_close_matches
from heapq import nlargest
from typing import Any

SHOWN_CHARS = 80
LIKELY = 20

TYPE_WORDS = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


def shown(value: Any) -> str:
    """The value as short JSON; long ones are cut, lists and objects are named by their size."""
    if isinstance(value, dict) and value:
        return f"an object with {counted(len(value), 'field')}"
    if isinstance(value, list) and value:
        return f"a list of {counted(len(value), 'item')}"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN_CHARS else f"{text[: SHOWN_CHARS - 1]}…"


def quoted(word: str) -> str:
    """A word in double quotes, cut when it is long."""
    return shown(str(word))


def ended(text: str) -> str:
    """The text with a full stop, unless it already ends as a sentence."""
    return text if text.endswith((".", "?", "!")) else f"{text}."


def counted(count: int, noun: str) -> str:
    """`1 step`, `3 steps`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def one_of(words: Iterable[str], *, last: str = "or") -> str:
    """`"a", "b" or "c"`."""
    names = [quoted(word) for word in words]
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {last} {names[-1]}"


def did_you_mean(word: str, choices: Collection[str]) -> str:
    """` Did you mean "steps"?` with a leading space, or nothing when no choice is near."""
    near = nearest(word, choices)
    return f" Did you mean {quoted(near)}?" if near is not None else ""


def nearest(word: str, choices: Collection[str]) -> str | None:
    """The choice a person most likely meant, None when none is near."""
    folded = {_folded(choice): choice for choice in choices}
    wanted = _folded(str(word)[:100])
    # difflib compares every letter with every letter: of many choices only the likeliest are worth that
    likely = nlargest(LIKELY, folded, key=lambda choice: _common(wanted, choice)) if len(folded) > LIKELY else folded
    found = get_close_matches(wanted, likely, n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def _folded(word: str) -> str:
    return word.casefold().replace("-", "_")


def _common(left: str, right: str) -> int:
    """How many letters two words share at their beginnings and their ends: a slip of the finger spoils few."""
    return _same_start(left, right) + _same_start(left[::-1], right[::-1])


def _same_start(left: str, right: str) -> int:
    pairs = enumerate(zip(left, right, strict=False))
    return next((place for place, (one, other) in pairs if one != other), min(len(left), len(right)))


def type_words(types: Iterable[str]) -> str:
    """`a text or null` for JSON Schema's type names."""
    words = [TYPE_WORDS.get(name, name) for name in types]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
