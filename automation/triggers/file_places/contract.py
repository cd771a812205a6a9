"""What a place of files is asked: which files there are, their bytes, and to put them away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Protocol
from urllib.parse import quote_from_bytes, unquote_to_bytes

MARKER = ".done"  # ends the name of an empty file that says "taken"


class Gone(Exception):
    """The file is not there any more, or another one since it was listed."""


class Unreadable(Exception):
    """This one file cannot be read, whatever the others do. The message says why."""


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file as it was listed.

    `path` is below the watched folder, with slashes; bytes that are no UTF-8 are lone surrogates in it, as
    `os.fsdecode` makes them. `stamp` changes with the content: a time in ns, or a checksum. `is_whole`: nobody can
    still be writing it.
    """

    path: str
    size: int
    stamp: str
    modified_at: datetime | None = None
    is_whole: bool = False

    @property
    def name(self) -> str:
        """The last part of its path."""
        return PurePosixPath(self.path).name

    @property
    def version(self) -> str:
        """What tells one content at this path from another."""
        return f"{self.stamp}:{self.size}"

    @property
    def key(self) -> str:
        """What tells this file in this version from every other."""
        return f"{escaped(self.path)}@{self.version}"


def escaped(path: str) -> str:
    """A path as plain text, whatever bytes it is made of."""
    return quote_from_bytes(path.encode("utf-8", "surrogateescape"), safe="/ ")


def unescaped(text: str) -> str:
    """The path that `escaped` wrote."""
    return unquote_to_bytes(text).decode("utf-8", "surrogateescape")


class Place(Protocol):
    """Files below one folder. Methods raise SourceError for what concerns all of them."""

    def files(self, depth: int) -> Iterator[FileEntry]:
        """Regular files down to a depth, 1 for the folder itself; links are neither shown nor followed."""

    def read(self, entry: FileEntry) -> Iterator[bytes]:
        """The bytes of a file as it was listed. Raises Gone, also at the end, and Unreadable."""

    def look(self, path: str) -> FileEntry | None:
        """What stands at a path now."""

    def delete(self, entry: FileEntry) -> None:
        """Delete a file. Raises Unreadable."""

    def move(self, entry: FileEntry, folder: str) -> None:
        """Move a file into a folder, over nothing that is there. Raises Unreadable."""

    def mark(self, entry: FileEntry) -> None:
        """Write the file's marker beside it. Raises Unreadable."""
