"""The text of a file: its encoding, and its lines with a bound."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from typing import BinaryIO

from automation.reading.items import MOST_ITEM_BYTES, ReadFault

# Longer marks first: UTF-32's little-endian one begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Bytes that are no text become lone surrogates, so that the line they stand in can be told.
_TELLING = "surrogateescape"
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class LongLine(Exception):
    """A line has more characters than any item may have."""

    def __init__(self) -> None:
        super().__init__(f"it has more than {MOST_ITEM_BYTES:,} characters")


def open_text(stream: BinaryIO, encoding: str) -> io.TextIOWrapper:
    """The stream as text, behind its byte order mark. Without an encoding that mark decides, else UTF-8.

    Raises ReadFault for an encoding that does not exist.
    """
    start = stream.read(4)
    marked = next(((mark, name) for mark, name in _MARKS if start.startswith(mark)), (b"", "utf-8"))
    stream.seek(len(marked[0]) if not encoding or _is_same(encoding, marked[1]) else 0)
    chosen = _known(encoding or marked[1])
    is_wide = chosen.startswith(("utf-16", "utf-32"))
    return io.TextIOWrapper(stream, chosen, errors="replace" if is_wide else _TELLING, newline="")


def lines(text: io.TextIOWrapper) -> Iterator[str | LongLine]:
    """The lines with their ends; in the place of one that is too long a LongLine."""
    while line := text.readline(MOST_ITEM_BYTES):
        if len(line) < MOST_ITEM_BYTES or line.endswith(("\n", "\r")):
            yield line
            continue
        while line and not line.endswith(("\n", "\r")):
            line = text.readline(MOST_ITEM_BYTES)
        yield LongLine()


def is_storable(text: str) -> bool:
    """True for a text that a column can hold: no bytes that were no text, no NUL."""
    return "\x00" not in text and (text.isascii() or not any("\ud800" <= one <= "\udfff" for one in text))


def holds_nul(raw: bytes) -> bool:
    """True for a JSON text with a NUL character in it, which no column can hold."""
    return b"\\u0000" in raw and _NUL.search(raw) is not None


def _known(encoding: str) -> str:
    try:
        found = codecs.lookup(encoding)
    except (LookupError, ValueError) as error:
        raise ReadFault("unknown_encoding", f"There is no encoding {encoding[:40]!r}. Write utf-8, cp1252 …") from error
    if not found._is_text_encoding:
        raise ReadFault("unknown_encoding", f"{encoding[:40]!r} is no encoding of texts. Write utf-8, cp1252 …")
    return found.name


def _is_same(one: str, other: str) -> bool:
    name = one.lower().replace("_", "-")
    return name in (other, other.removesuffix("-le").removesuffix("-be"), f"{other}-sig")
