"""The four forms of a file, written piece by piece. What is written so far never has to be looked at again."""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import orjson

from automation.services.exchange import zip_writing
from automation.services.exchange.yaml_writing import dump

Json = Any


class Writer(ABC):
    """Turns the parts of a file into bytes. `state` is what another process needs to go on: plain JSON."""

    state: dict[str, Json]

    def __init__(self, state: Mapping[str, Json] | None = None) -> None:
        self.state = dict(state or {})

    @abstractmethod
    def begin(self, frame: Mapping[str, Json]) -> bytes:
        """The start of the file."""

    @abstractmethod
    def head(self, head: Mapping[str, Json], *, is_first: bool) -> bytes:
        """A workflow without its history; it stays open."""

    @abstractmethod
    def version(self, version: Mapping[str, Json], *, is_first: bool) -> bytes:
        """One version of the open workflow's history."""

    @abstractmethod
    def close(self, checksum: str, *, has_history: bool) -> bytes:
        """The end of the open workflow."""

    @abstractmethod
    def end(self, trailer: Mapping[str, Json], *, is_empty: bool) -> bytes:
        """The end of the file."""

    def pack(self, piece: bytes) -> bytes:
        """The bytes that go out for a piece."""
        return piece

    def flush(self) -> bytes:
        """The bytes that are still held back; `state` says all afterwards."""
        return b""

    def finish(self) -> bytes:
        """What stands behind the end of the last piece."""
        return b""


class JsonWriter(Writer):
    """One document, each workflow on a line of its own."""

    def begin(self, frame: Mapping[str, Json]) -> bytes:
        """Everything up to the list."""
        return orjson.dumps(frame)[:-1] + b',"workflows":['

    def head(self, head: Mapping[str, Json], *, is_first: bool) -> bytes:
        """An open object."""
        return (b"\n" if is_first else b",\n") + orjson.dumps(head)[:-1]

    def version(self, version: Mapping[str, Json], *, is_first: bool) -> bytes:
        """An item of the open list."""
        return (b',"history":[' if is_first else b",") + orjson.dumps(version)

    def close(self, checksum: str, *, has_history: bool) -> bytes:
        """Close list and object."""
        return (b"]" if has_history else b"") + b',"checksum":' + orjson.dumps(checksum) + b"}"

    def end(self, trailer: Mapping[str, Json], *, is_empty: bool) -> bytes:
        """Close the document."""
        return (b"]," if is_empty else b"\n],") + orjson.dumps(trailer)[1:] + b"\n"


class NdjsonWriter(JsonWriter):
    """A line for the frame, one for each workflow, one for the end."""

    def begin(self, frame: Mapping[str, Json]) -> bytes:
        """The first line."""
        return orjson.dumps(frame) + b"\n"

    def head(self, head: Mapping[str, Json], *, is_first: bool) -> bytes:
        """An open line."""
        return b'{"workflow":' + orjson.dumps(head)[:-1]

    def close(self, checksum: str, *, has_history: bool) -> bytes:
        """Close the line."""
        return super().close(checksum, has_history=has_history) + b"}\n"

    def end(self, trailer: Mapping[str, Json], *, is_empty: bool) -> bytes:
        """The last line."""
        return orjson.dumps({"end": trailer}) + b"\n"


class YamlWriter(Writer):
    """One document in blocks."""

    def begin(self, frame: Mapping[str, Json]) -> bytes:
        """Everything up to the list; an empty one is closed by `end`."""
        return dump(dict(frame)) + b"workflows:"

    def head(self, head: Mapping[str, Json], *, is_first: bool) -> bytes:
        """An item, open below."""
        return (b"\n" if is_first else b"") + dump([dict(head)])

    def version(self, version: Mapping[str, Json], *, is_first: bool) -> bytes:
        """An item of the history."""
        return (b"  history:\n" if is_first else b"") + dump([dict(version)], indent=2)

    def close(self, checksum: str, *, has_history: bool) -> bytes:
        """The last member. A hexadecimal text may look like a number, so it is quoted where it does."""
        return dump({"checksum": checksum}, indent=2)

    def end(self, trailer: Mapping[str, Json], *, is_empty: bool) -> bytes:
        """The rest of the document."""
        return (b" []\n" if is_empty else b"") + dump(dict(trailer))


class ZipWriter(NdjsonWriter):
    """The NDJSON form, deflated, as the one member of a zip file.

    Each stretch between two flushes is a deflate stream of its own that ends on a byte: they may be put one after
    the other (RFC 1951, 3.2.4), so another process can go on with nothing but the sums in `state`.
    """

    def __init__(self, state: Mapping[str, Json] | None = None) -> None:
        super().__init__({"crc": 0, "size": 0, "packed": 0, **(state or {})})
        self._deflate = _new_deflate()

    def pack(self, piece: bytes) -> bytes:
        """Deflate a piece; before the first one stands the member's header."""
        start = b"" if self.state["size"] else zip_writing.member_header()
        self.state["crc"] = zlib.crc32(piece, self.state["crc"])
        self.state["size"] += len(piece)
        return start + self._count(self._deflate.compress(piece))

    def flush(self) -> bytes:
        """End the stretch on a byte."""
        out = self._count(self._deflate.flush(zlib.Z_FULL_FLUSH))
        self._deflate = _new_deflate()
        return out

    def finish(self) -> bytes:
        """The end of the member and of the file."""
        out = self._count(self._deflate.flush(zlib.Z_FINISH))
        return out + zip_writing.file_end(self.state["crc"], self.state["packed"], self.state["size"])

    def _count(self, out: bytes) -> bytes:
        self.state["packed"] += len(out)
        return out


def _new_deflate() -> Any:
    return zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)


WRITERS: Mapping[str, type[Writer]] = {
    "json": JsonWriter,
    "ndjson": NdjsonWriter,
    "yaml": YamlWriter,
    "zip": ZipWriter,
}
