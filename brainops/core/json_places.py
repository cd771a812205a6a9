"""Find every place of a JSON text that the gate refuses, each with a JSON pointer. Slow and exact; for bad bodies only.

An own scanner without recursion: it goes on after a duplicate key or a NaN, which a parser cannot, so that a person
sees all of it at once. It stops at the first break of the grammar, since nothing after it can be trusted.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NoReturn

from brainops.core.errors import Problem

if TYPE_CHECKING:
    from brainops.core.json_gate import Limits

SMALLEST_INTEGER, LARGEST_INTEGER = -(1 << 63), (1 << 64) - 1

_MOST_PROBLEMS = 100
_SPACE = re.compile(r"[ \t\n\r]*+")
# possessive (*+, ++): a long string without its closing quote must not be tried in every split
_STRING = re.compile(r'"((?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+)"')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*+)(\.[0-9]++)?([eE][+-]?[0-9]++)?")
_WORD = re.compile(r"-?[A-Za-z]++")
_ESCAPE = re.compile(r'\\(?:(["\\/bfnrt])|u([0-9a-fA-F]{4}))')
_SHORT = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_SURROGATE = re.compile("[\ud800-\udfff]")
_SURROGATE_PAIR = re.compile("([\ud800-\udbff])([\udc00-\udfff])")
_VALUES = frozenset({"true", "false", "null"})
_NO_NUMBERS = frozenset({"NaN", "-NaN", "Infinity", "-Infinity"})


def find_problems(body: bytes, limits: Limits) -> tuple[Problem, ...]:
    """Everything that is wrong with a body, in reading order; at most 100."""
    if body.startswith(b"\xef\xbb\xbf"):
        return (Problem("byte_order_mark", "The body starts with a byte order mark. Send UTF-8 without it."),)
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        place = f"byte {error.start} is {body[error.start]:#04x}"
        return (Problem("not_utf8", f"The body is not UTF-8: {place}. Send JSON in UTF-8."),)
    return _Scanner(text, limits).problems()


class _Stop(Exception):
    """Enough was found, or nothing after this place can be read."""


class _Container:
    """An object or array that is being read. `token` is the pointer's step to the member being read."""

    __slots__ = ("is_object", "seen", "size", "token")

    def __init__(self, is_object: bool) -> None:
        self.is_object = is_object
        self.seen: set[str] = set()
        self.size = 0
        self.token = ""


class _Scanner:
    """One pass over a text."""

    def __init__(self, text: str, limits: Limits) -> None:
        self._text = text
        self._limits = limits
        self._position = 0
        self._stack: list[_Container] = []
        self._keys = 0
        self._found: list[Problem] = []

    def problems(self) -> tuple[Problem, ...]:
        """The problems in reading order."""
        try:
            self._skip_space()
            self._value()
            while self._stack:
                self._member()
            if self._position < len(self._text):
                self._break("there is more text after the end of the value")
        except _Stop:
            pass
        return tuple(self._found)

    def _member(self) -> None:
        """Read the next member of the innermost container, or its end."""
        container = self._stack[-1]
        if self._accept("}" if container.is_object else "]"):
            self._stack.pop()
            return
        if container.size and not self._accept(","):
            self._break(f"expected , or {'}' if container.is_object else ']'}, found {self._here()}")
        container.size += 1
        if container.is_object:
            self._key(container)
        else:
            container.token = str(container.size - 1)
        self._value()

    def _key(self, container: _Container) -> None:
        key = self._string("a key in double quotes")
        if not self._accept(":"):
            self._break(f"expected : after the key {_quote(key)}, found {self._here()}")
        container.token = key
        self._check_text(key, "The key")
        if key in container.seen:
            self._report("duplicate_key", f"The key {_quote(key)} stands twice in one object. Keep one.")
        container.seen.add(key)
        self._keys += 1
        if self._keys > self._limits.keys:
            self._report("too_many_keys", f"The body has more than {self._limits.keys:,} keys.")
            raise _Stop

    def _value(self) -> None:
        character = self._text[self._position : self._position + 1]
        if character in ("{", "["):
            self._open(_Container(is_object=character == "{"))
        elif character == '"':
            self._check_text(self._string("a string"), "The string")
        elif match := _NUMBER.match(self._text, self._position):
            self._check_number(match)
        else:
            self._word()

    def _open(self, container: _Container) -> None:
        if len(self._stack) == self._limits.depth:
            self._report("too_deep", f"The body nests deeper than {self._limits.depth} levels.")
            raise _Stop
        self._move(self._position + 1)
        self._stack.append(container)

    def _string(self, wanted: str) -> str:
        if not self._text.startswith('"', self._position):
            self._break(f"expected {wanted}, found {self._here()}")
        match = _STRING.match(self._text, self._position)
        if match is None:
            self._break("a string is not closed, or holds a bare control character or a wrong escape")
        self._move(match.end())
        return _unescape(match[1])

    def _word(self) -> None:
        match = _WORD.match(self._text, self._position)
        word = match[0] if match else ""
        if word in _NO_NUMBERS:
            self._report("not_a_number", f"{word} is not a JSON value. Send null or a number.")
        elif word not in _VALUES:
            self._break(f"expected a value, found {self._here()}")
        self._move(self._position + len(word))

    def _check_number(self, match: re.Match[str]) -> None:
        text = match[0]
        if match[1] or match[2]:
            if abs(float(text)) == float("inf"):
                self._report("number_too_large", f"The number {_quote(text)} is too large for a 64-bit float.")
        elif len(text) > 20 or not SMALLEST_INTEGER <= int(text) <= LARGEST_INTEGER:
            self._report(
                "integer_too_large", f"The integer {_quote(text)} needs more than 64 bits. Send it as a string."
            )
        self._move(match.end())

    def _check_text(self, text: str, noun: str) -> None:
        if "\0" in text:
            self._report("nul_character", f"{noun} {_quote(text)} holds a NUL character (\\u0000). Remove it.")
        if _SURROGATE.search(text):
            self._report(
                "lone_surrogate", f"{noun} {_quote(text)} holds half of a surrogate pair, which is no character."
            )
        elif len(text) * 4 > self._limits.string_bytes and len(text.encode()) > self._limits.string_bytes:
            self._report("string_too_long", f"{noun} has more than {self._limits.string_bytes:,} bytes.")

    def _report(self, code: str, message: str) -> None:
        pointer = "".join("/" + container.token.replace("~", "~0").replace("/", "~1") for container in self._stack)
        self._found.append(Problem(code, message, _without_surrogates(pointer)))
        if len(self._found) == _MOST_PROBLEMS:
            raise _Stop

    def _break(self, reason: str) -> NoReturn:
        """Report a break of the grammar and stop."""
        line = self._text.count("\n", 0, self._position) + 1
        column = self._position - self._text.rfind("\n", 0, self._position)
        self._report("malformed_json", f"The body is no JSON: line {line}, column {column}: {reason}.")
        raise _Stop

    def _accept(self, character: str) -> bool:
        if not self._text.startswith(character, self._position):
            return False
        self._move(self._position + 1)
        return True

    def _move(self, position: int) -> None:
        self._position = position
        self._skip_space()

    def _skip_space(self) -> None:
        match = _SPACE.match(self._text, self._position)
        self._position = match.end() if match else self._position

    def _here(self) -> str:
        if self._position >= len(self._text):
            return "the end of the body"
        return _quote(self._text[self._position])


def _unescape(raw: str) -> str:
    if "\\" not in raw:
        return raw
    text = _ESCAPE.sub(lambda match: _SHORT[match[1]] if match[1] else chr(int(match[2], 16)), raw)
    return _SURROGATE_PAIR.sub(_join_pair, text)


def _join_pair(match: re.Match[str]) -> str:
    return (match[1] + match[2]).encode("utf-16", "surrogatepass").decode("utf-16")


def _quote(text: str) -> str:
    """A value for a message: printable, and not longer than a line."""
    shown = text if len(text) <= 40 else f"{text[:40]}…"
    return ascii(shown) if not shown.isprintable() else f"'{shown}'"


def _without_surrogates(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
