"""JSON pointers (RFC 6901) and the short names people read in a message."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Path = Sequence[str | int]


def escape(part: str | int) -> str:
    """One reference token, escaped (RFC 6901, section 3)."""
    return str(part).replace("~", "~0").replace("/", "~1")


def pointer(parts: Iterable[str | int], *, base: str = "") -> str:
    """The JSON pointer of a path, `""` for the whole document."""
    return base + "".join(f"/{escape(part)}" for part in parts)


def dotted(parts: Path) -> str:
    """The path as people write it: `retry.max_attempts`, `with.cases[0].port`."""
    text = ""
    for part in parts:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def tokens(text: str) -> tuple[str, ...]:
    """The reference tokens of a JSON pointer, unescaped."""
    if not text:
        return ()
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in text[1:].split("/"))


def document_order(text: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key that keeps list items in their order: `/steps/2` before `/steps/10`."""
    return tuple((0, int(part), "") if _is_index(part) else (1, 0, part) for part in tokens(text))


def _is_index(part: str) -> bool:
    """True for a place in a list. A field may be called "²" or be a number of a thousand digits, which int refuses."""
    return part.isascii() and part.isdecimal() and len(part) < 10
