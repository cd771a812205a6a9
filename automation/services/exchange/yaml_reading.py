"""YAML read as plain data: the JSON values of YAML 1.2's core schema, and nothing that only YAML can say.

Values are built from the parser's events, so nothing is ever constructed that the file asks for by name. Refused:
anchors and aliases (a page of them unfolds to gigabytes), tags, a key that stands twice, a second document, numbers
that JSON has not. `no`, `12:30` and dates are text, as in YAML 1.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import yaml

from brainops.core.errors import MalformedJson, TooLarge

Json = Any

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_WORDS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_WHOLE = re.compile(r"[-+]?[0-9]+")
_OTHER_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FRACTION = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NO_NUMBER = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_LONGEST_NUMBER = 100  # characters
_STARTS = (yaml.MappingStartEvent, yaml.SequenceStartEvent)
_ENDS = (yaml.MappingEndEvent, yaml.SequenceEndEvent)
_NODES = (yaml.ScalarEvent, *_STARTS)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How large one value may become."""

    depth: int
    nodes: int
    characters: int


class YamlReader:
    """Reads one document of a stream, event by event."""

    def __init__(self, stream: BinaryIO, bounds: Bounds) -> None:
        self._events = _parsed(stream)
        self._bounds = bounds
        self._next: Any = None
        self._nodes = self._characters = 0

    def begin(self) -> None:
        """Go to the document. Raises MalformedJson when there is none."""
        self._take()  # the stream's start
        self._expect(yaml.DocumentStartEvent, "The file holds no YAML document.")

    def end(self) -> None:
        """Make sure that nothing follows the document."""
        self._take()
        if isinstance(self.look(), yaml.DocumentStartEvent):
            raise self._refusal("the file holds a second document. Send one")

    def look(self) -> Any:
        """The next event, which stays."""
        if self._next is None:
            try:
                self._next = next(self._events)
            except StopIteration:
                raise MalformedJson("The YAML ended before it was complete.", code="malformed_yaml") from None
            self._refuse_what_is_not_data()
        return self._next

    def opens(self, event: type[Any]) -> bool:
        """True, and past it, when the next event is of this type."""
        is_it = isinstance(self.look(), event)
        if is_it:
            self._take()
        return is_it

    def key(self) -> str:
        """The next key of an open mapping, as it is written: a key is always text."""
        event = self._take()
        if not isinstance(event, yaml.ScalarEvent):
            raise self._refusal("a key is a text")
        return str(event.value)

    def value(self) -> Json:
        """The next value, whole. Raises MalformedJson, TooLarge."""
        self._nodes = self._characters = 0
        return self._value(1)

    def _value(self, depth: int) -> Json:
        event = self._take()
        self._count(event, depth)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not self.opens(yaml.SequenceEndEvent):
                items.append(self._value(depth + 1))
            return items
        members: dict[str, Json] = {}
        while not self.opens(yaml.MappingEndEvent):
            key = self.key()
            if key in members:
                raise self._refusal(f"the key {key[:60]!r} stands twice")
            members[key] = self._value(depth + 1)
        return members

    def _count(self, event: Any, depth: int) -> None:
        self._nodes += 1
        self._characters += len(event.value) if isinstance(event, yaml.ScalarEvent) else 0
        if depth > self._bounds.depth:
            raise self._refusal(f"values are nested deeper than {self._bounds.depth} levels")
        if self._nodes > self._bounds.nodes or self._characters > self._bounds.characters:
            most = f"{self._bounds.nodes:,} values or {self._bounds.characters:,} characters"
            raise TooLarge(f"{self._place()}: one workflow may have at most {most}.")

    def _scalar(self, event: Any) -> Json:
        text: str = event.value
        if not event.implicit[0]:  # in quotes or a block: text, whatever it looks like
            return text
        if text in _NULL:
            return None
        if text in _WORDS:
            return _WORDS[text]
        if text[0] in "+-.0123456789":
            return self._number(text)
        return text

    def _number(self, text: str) -> Json:
        if _NO_NUMBER.fullmatch(text):
            raise self._refusal(f"{text} is no number of JSON. Put it in quotes")
        is_whole, is_other = _WHOLE.fullmatch(text), _OTHER_BASE.fullmatch(text)
        if not (is_whole or is_other or _FRACTION.fullmatch(text)):
            return text
        if len(text) > _LONGEST_NUMBER:
            raise self._refusal(f"a number of {len(text)} digits. Put it in quotes")
        if is_other:
            return int(text[2:], 8 if text[1] == "o" else 16)
        number = int(text) if is_whole else float(text)
        if number in (float("inf"), float("-inf")):
            raise self._refusal(f"{text[:40]} is beyond the numbers of JSON. Put it in quotes")
        return number

    def _take(self) -> Any:
        event = self.look()
        self._next = None
        return event

    def _expect(self, event: type[Any], otherwise: str) -> None:
        if not self.opens(event):
            raise MalformedJson(otherwise, code="malformed_yaml")

    def _refuse_what_is_not_data(self) -> None:
        event = self._next
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise self._refusal("anchors and aliases are not read. Write the value out")
        if isinstance(event, _NODES) and event.tag is not None:
            raise self._refusal(f"tags such as {str(event.tag)[:60]} are not read. Leave them out")
        if isinstance(event, yaml.DocumentStartEvent) and (event.version or event.tags):
            raise self._refusal("directives are not read. Leave them out")

    def _refusal(self, what: str) -> MalformedJson:
        return MalformedJson(f"{self._place()}: {what}.", code="malformed_yaml")

    def _place(self) -> str:
        mark = getattr(self._next, "start_mark", None)
        return f"YAML, line {mark.line + 1}, column {mark.column + 1}" if mark else "YAML"


def _parsed(stream: BinaryIO) -> Iterator[Any]:
    try:
        yield from yaml.parse(_Utf8(stream), Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"YAML, line {mark.line + 1}, column {mark.column + 1}" if mark else "YAML"
        said = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read"
        raise MalformedJson(f"{place}: {said}.", code="malformed_yaml") from error
    except UnicodeDecodeError as error:
        raise MalformedJson("The YAML is not UTF-8.", code="malformed_yaml") from error


class _Utf8:
    """A stream that begins with no byte order mark: the parser would take the file for UTF-16."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._is_begun = False

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        found = self._stream.read(size)
        if not self._is_begun and found[:2] in (b"\xff\xfe", b"\xfe\xff", b"\xef\xbb"):
            raise MalformedJson("The YAML starts with a byte order mark. Send UTF-8 without it.", code="malformed_yaml")
        self._is_begun = True
        return found
