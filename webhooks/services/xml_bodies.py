"""XML as plain JSON: no document type, so no entity of anybody's making, and nothing outside the body is ever read.

An element is its text; with attributes or children it is an object of `@attribute`, child names (a repeated one a list)
and `#text`. Names keep their prefixes as written. Comments and processing instructions are left out.
Source: expat refuses amplification by itself; here every <!DOCTYPE> is refused before one could begin.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from django.conf import settings

from brainops.core.errors import InvalidInput
from webhooks.services.charsets import decode

MOST_DEPTH = 50
_DECLARED = re.compile(rb"\A\s*<\?xml[^>]{0,100}?encoding\s*=\s*[\"']([A-Za-z0-9._:-]{1,40})[\"']")
_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))

Json = Any


class _Refused(Exception):
    """What a handler says to end the parse."""


@dataclass(slots=True)
class _Element:
    members: dict[str, Json] = field(default_factory=dict)
    text: list[str] = field(default_factory=list)

    def add(self, name: str, value: Json) -> None:
        """Add a child; the second of a name makes a list."""
        if name not in self.members:
            self.members[name] = value
        elif isinstance(self.members[name], list):
            self.members[name].append(value)
        else:
            self.members[name] = [self.members[name], value]

    def value(self) -> Json:
        text = "".join(self.text)
        if not self.members:
            return text
        if text.strip():
            self.members["#text"] = text.strip()
        return self.members


class _Tree:
    """Builds the JSON while the parser runs."""

    def __init__(self) -> None:
        self.root = _Element()
        self._open = [self.root]
        self._most = int(settings.BRAINOPS_LIMITS["json_keys"])
        self._count = 0

    def start(self, _name: str, attributes: dict[str, str]) -> None:
        self._count += 1 + len(attributes)
        if len(self._open) > MOST_DEPTH:
            raise _Refused(f"it is nested deeper than {MOST_DEPTH} elements")
        if self._count > self._most:
            raise _Refused(f"it has more than {self._most:,} elements and attributes")
        self._open.append(_Element({f"@{name}": value for name, value in attributes.items()}))

    def end(self, name: str) -> None:
        element = self._open.pop()
        self._open[-1].add(name, element.value())

    def text(self, data: str) -> None:
        self._open[-1].text.append(data)


def parse(body: bytes, charset: str) -> tuple[Json, str]:
    """`(data, text)` of an XML body. The Content-Type's charset wins over the document's own (RFC 7303, 3.2).

    Raises UnsupportedMediaType for a charset that is not known, InvalidInput (`malformed_xml`) for anything that is not
    a plain, well-formed document.
    """
    text = decode(body, charset or _charset_of(body))
    tree = _Tree()
    parser = expat.ParserCreate("utf-8")  # whatever the document declares: it is decoded already
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = tree.start, tree.end
    parser.CharacterDataHandler = tree.text
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = _no_document_type
    try:
        parser.Parse(text.encode(), True)
    except _Refused as refusal:
        raise InvalidInput(f"The XML is refused: {refusal}.", code="malformed_xml") from refusal
    except (expat.ExpatError, UnicodeEncodeError) as error:
        raise InvalidInput(f"The XML cannot be read: {error}.", code="malformed_xml") from error
    return tree.root.members, text


def _charset_of(body: bytes) -> str:
    for mark, charset in _MARKS:
        if body.startswith(mark):
            return charset
    declared = _DECLARED.match(body)
    return declared[1].decode() if declared else ""


def _no_document_type(*_declared: Any) -> None:
    raise _Refused("it declares a document type. Send it without <!DOCTYPE>")
