"""Words for JSON values in messages: what kind it is and a short look at it, never more."""

from __future__ import annotations

from typing import Any

SHOWN_CHARS = 60
PREVIEW_CHARS = 200
_SHOWN_BITS = 200  # about 60 decimal digits


def kind_of(value: Any) -> str:
    """The JSON kind of `value` in the words of the language: text, number, list, object, true/false, null."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "text"
    if isinstance(value, list):
        return "a list"
    return "an object" if isinstance(value, dict) else "not a JSON value"


def shown(value: Any) -> str:
    """`value` for a message, at most about 80 characters: `text 'abc'`, `the number 5`, `a list of 3 items`."""
    if isinstance(value, str):
        return f"text {quoted(value)}"
    if isinstance(value, list):
        return f"a list of {len(value)} {'item' if len(value) == 1 else 'items'}"
    if isinstance(value, dict):
        return f"an object with {len(value)} {'key' if len(value) == 1 else 'keys'}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value.bit_length() > _SHOWN_BITS:
        return f"a whole number of {value.bit_length()} bits"
    return f"the number {value!r}" if isinstance(value, int | float) else kind_of(value)


def preview(value: Any) -> Any:
    """`value` itself when it is small, a cut text or a description when it is not: always safe to store."""
    if isinstance(value, str):
        return value if len(value) <= PREVIEW_CHARS else f"{value[:PREVIEW_CHARS]}…"
    is_plain = value is None or isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < 2**63)
    return value if is_plain else shown(value)


def quoted(text: str, limit: int = SHOWN_CHARS) -> str:
    """`text` between quotes, escaped and cut after `limit` characters."""
    return repr(text) if len(text) <= limit else f"{text[:limit]!r}…"


def named(name: str, limit: int = SHOWN_CHARS) -> str:
    """A name or key between double quotes, escaped when it would be unreadable."""
    plain = name.isprintable() and '"' not in name
    return f'"{name[:limit]}{"…" if len(name) > limit else ""}"' if plain else quoted(name, limit)


def excerpt(source: str, position: int, limit: int = 120) -> str:
    """The part of `source` around `position`, on one line and at most about `limit` characters."""
    if len(source) > limit:
        start = min(max(0, position - limit // 2), len(source) - limit)
        end = start + limit
        source = ("…" if start else "") + source[start:end] + ("…" if end < len(source) else "")
    return "".join(c if c.isprintable() else " " for c in source)
