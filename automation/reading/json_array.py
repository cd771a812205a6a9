"""The elements of a JSON array, one after the other, without reading the whole text at once."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import orjson

from automation.reading.items import MOST_ITEM_BYTES, Malformed, Read, ReadFault
from automation.reading.text import holds_nul

Json = Any

_PIECE = 64 << 10
_MOST_PASSED = 8 << 20  # characters of a member that stands before the array
_NEARLY_ALL = 12  # characters that a word, an escape or a sign cut in two leaves at the end
_SPACE = " \t\r\n"


def read_array(text: io.TextIOWrapper, at: str) -> Iterator[Read | Malformed]:
    """The elements of the array that the JSON pointer `at` names; a text that is no array is one item.

    Raises ReadFault where the text is no JSON.
    """
    source = _Source(text)
    for name in [part.replace("~1", "/").replace("~0", "~") for part in at.split("/")[1:]]:
        source.enter(name, at)
    if source.peek() != "[":
        if at:
            raise ReadFault("no_array", f"There is no array at {at!r}. Correct `at`.")
        if source.peek():
            yield _item(1, source.value(MOST_ITEM_BYTES, "The value"))
        return
    source.skip()
    yield from _elements(source)


def _elements(source: _Source) -> Iterator[Read | Malformed]:
    number = 0
    while source.peek() != "]" or number:
        number += 1
        yield _item(number, source.value(MOST_ITEM_BYTES, f"Element {number}"))
        behind = source.peek()
        if behind == "]":
            return
        if behind != ",":
            raise ReadFault("broken_json", f"Behind element {number} there is neither a comma nor the array's end.")
        source.skip()


def _item(number: int, value: Json) -> Read | Malformed:
    try:
        raw = orjson.dumps(value)
    except TypeError as error:  # lone surrogates, whole numbers beyond 64 bits
        return Malformed(number, f"it cannot be stored ({error})")
    if holds_nul(raw):
        return Malformed(number, "it holds a NUL character, which cannot be stored")
    return Read(number, value)


class _Source:
    """A JSON text of which a piece is held."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._held = ""
        self._at = 0
        self._has_more = True
        self._decoder = json.JSONDecoder(parse_constant=_refuse)

    def peek(self) -> str:
        """The next character that is no white space; "" at the end."""
        while True:
            while self._at < len(self._held) and self._held[self._at] in _SPACE:
                self._at += 1
            if self._at < len(self._held):
                return self._held[self._at]
            if not self._more(_PIECE):
                return ""

    def skip(self) -> None:
        """Leave one character behind that was looked at."""
        self._at += 1

    def value(self, most: int, what: str) -> Json:
        """The value that begins here. Raises ReadFault for one that is none, or too large."""
        self.peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._held, self._at)
            except (ValueError, RecursionError) as error:
                self._require_cut(error, most, what)
                continue
            if end < len(self._held) or not self._more(_PIECE):  # a number may go on in the next piece
                if end - self._at > most:
                    raise _too_large(what, most)
                self._at = end
                return value

    def enter(self, name: str, at: str) -> None:
        """Go to the value of a member of the object that begins here."""
        missing = ReadFault("no_array", f"There is no array at {at!r}: no member {name!r} on the way. Correct `at`.")
        if self.peek() != "{":
            raise missing
        self.skip()
        while self.peek() == '"':
            found = self.value(MOST_ITEM_BYTES, "A member's name")
            if self.peek() != ":":
                break
            self.skip()
            if found == name:
                return
            self.value(_MOST_PASSED, f"The member {str(found)[:40]!r} before the array")
            if self.peek() != ",":
                break
            self.skip()
        raise missing

    def _require_cut(self, error: Exception, most: int, what: str) -> None:
        """Read on when the value may only be cut off by the end of what is held. Raises ReadFault when it is not."""
        held = len(self._held) - self._at
        if isinstance(error, RecursionError):
            raise ReadFault("broken_json", f"{what} is nested too deeply.") from error
        place = error.pos if isinstance(error, json.JSONDecodeError) else 0
        is_string = isinstance(error, json.JSONDecodeError) and error.msg.startswith("Unterminated string")
        is_cut = is_string or place >= len(self._held) - _NEARLY_ALL
        if is_cut and held > most:
            raise _too_large(what, most) from error
        if not (is_cut and self._more(max(_PIECE, held))):
            raise ReadFault("broken_json", f"{what} is no JSON: {error}.") from error

    def _more(self, count: int) -> bool:
        try:
            piece = self._text.read(count)
        except UnicodeDecodeError as error:
            raise ReadFault("broken_json", f"The text holds bytes that are no {error.encoding}.") from error
        self._held = self._held[self._at :] + piece
        self._at = 0
        return bool(piece)


def _refuse(word: str) -> Json:
    raise ValueError(f"{word} is no JSON number")


def _too_large(what: str, most: int) -> ReadFault:
    return ReadFault("item_too_large", f"{what} has more than {most:,} characters.")
